package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The paths of the control socket, for [Client.Raw] and [Client.Stream].
const (
	DaemonPath   = "/api/daemon"
	ConfigPath   = "/api/daemon/config"
	ReloadPath   = "/api/daemon/reload"
	LogLevelPath = "/api/daemon/log-level"
	BackupPath   = "/api/daemon/backup"
	HealthPath   = "/healthz"
	HistoryPath  = "/api/history"
	DiscoverPath = "/api/discover"
)

// ProviderPath is the path of one provider, or of what is under it: "models",
// "diagnostics", "diagnose", "history", "pause", "resume", "report" or
// "action".
func ProviderPath(id string, under ...string) string {
	path := "/api/providers/" + url.PathEscape(id)
	for _, leaf := range under {
		path += "/" + leaf
	}
	return path
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// StatusQuery is which rows are wanted and how old they may be.
type StatusQuery struct {
	IDs    []string       // none means all
	MaxAge *time.Duration // providers with older rows are probed first; nil: none
	Wait   *time.Duration // for those probes; nil leaves it to the daemon (5 s)
}

// discoverWait is how long the daemon may take for a discovery.
const discoverWait = 3 * time.Second

// daemonWait is how long the daemon waits by default.
const daemonWait = 5 * time.Second

// Path is the query's route.
func (q StatusQuery) Path() string {
	v := url.Values{}
	if len(q.IDs) > 0 {
		v["provider_id"] = q.IDs
	}
	if q.MaxAge != nil {
		v.Set("max_age", q.MaxAge.String())
		if q.Wait != nil {
			v.Set("wait", q.Wait.String())
		}
	}
	return withQuery("/api/providers/status", v)
}

// Request is the query as [Client.Do] takes it.
func (q StatusQuery) Request() Request {
	req := Request{Path: q.Path()}
	switch {
	case q.MaxAge == nil:
	case q.Wait != nil:
		req.Wait = *q.Wait
	default:
		req.Wait = daemonWait
	}
	return req
}

// Status returns rows of the table. Rows that are older than the query allows, even after
// the wait, are marked stale.
func (c *Client) Status(ctx context.Context, q StatusQuery) (*provider.StatusReply, error) {
	return call[provider.StatusReply](ctx, c, q.Request())
}

// Provider returns one row as it is known.
func (c *Client) Provider(ctx context.Context, id string) (*provider.Status, error) {
	return call[provider.Status](ctx, c, Request{Path: ProviderPath(id)})
}

// RefreshQuery is what to probe again.
type RefreshQuery struct {
	IDs   []string      // none means all
	Wait  time.Duration // for the fresh rows; 0 returns at once without them
	Force bool          // probe even before retry_at
}

// maxNamed is how many bytes of IDs go into the query of a refresh. It leaves enough of the
// 16 KiB of a request's head for the rest.
const maxNamed = 8 << 10

// Request is the query as [Client.Do] takes it. IDs that do not fit into a URL go into the
// body.
func (q RefreshQuery) Request() Request {
	v := url.Values{}
	if q.Wait > 0 {
		v.Set("wait", q.Wait.String())
	}
	if q.Force {
		v.Set("force", "1")
	}
	req := Request{Method: "POST", Wait: q.Wait}
	if len(q.IDs) > 0 {
		named := url.Values{"provider_id": q.IDs}
		if len(named.Encode()) <= maxNamed {
			v["provider_id"] = q.IDs
		} else {
			req.Body, _ = json.Marshal(map[string][]string{"provider_id": q.IDs}) // strings never fail
		}
	}
	req.Path = withQuery("/api/providers/refresh", v)
	return req
}

// Refresh makes the daemon probe providers now. If the wait was too short, it returns what
// there is, with an error whose code is timed_out.
func (c *Client) Refresh(ctx context.Context, q RefreshQuery) (*provider.RefreshReply, error) {
	return awaited[provider.RefreshReply](ctx, c, q.Request())
}

// awaited is call for a reply that has what there is even if the wait was too short.
func awaited[T any](ctx context.Context, c *Client, req Request) (*T, error) {
	body, err := c.Do(ctx, req)
	if err != nil && provider.ExitCode(err) != provider.ExitTimedOut || body == nil {
		return nil, err
	}
	reply, decodeErr := decode[T](req.Path, body)
	if err == nil {
		err = decodeErr
	}
	return reply, err
}

// Models returns the models that a provider lists.
func (c *Client) Models(ctx context.Context, id string) (*provider.ModelsReply, error) {
	return call[provider.ModelsReply](ctx, c, Request{Path: ProviderPath(id, "models")})
}

// Diagnostics returns the evidence of a provider's last probe.
func (c *Client) Diagnostics(ctx context.Context, id string) (*provider.Diagnostics, error) {
	return call[provider.Diagnostics](ctx, c, Request{Path: ProviderPath(id, "diagnostics")})
}

// DiagnoseQuery is how to probe a provider for a diagnosis.
type DiagnoseQuery struct {
	ID    string
	Wait  time.Duration // for the probe; 0 does not wait
	Force bool          // probe even before retry_at
}

// Request is the query as [Client.Do] takes it.
func (q DiagnoseQuery) Request() Request {
	v := url.Values{"wait": {q.Wait.String()}}
	if q.Force {
		v.Set("force", "1")
	}
	return Request{Method: "POST", Path: withQuery(ProviderPath(q.ID, "diagnose"), v), Wait: q.Wait}
}

// Diagnose makes the daemon probe a provider now, on a new connection, and returns the
// evidence of that probe. If the wait was too short, it returns that of the last one, with
// an error whose code is timed_out. If there was no probe, Skipped is why.
func (c *Client) Diagnose(ctx context.Context, q DiagnoseQuery) (*provider.DiagnoseReply, error) {
	return awaited[provider.DiagnoseReply](ctx, c, q.Request())
}

// History returns a provider's transitions and uptime, as far back as they are kept.
func (c *Client) History(ctx context.Context, id string) (*provider.HistoryReply, error) {
	return call[provider.HistoryReply](ctx, c, Request{Path: ProviderPath(id, "history")})
}

// HistoryQuery is how much is wanted of one provider's history, or of everyone's. With a Window
// or a Step the reply has buckets.
type HistoryQuery struct {
	ID     string        // empty for all providers
	Since  uint64        // only after the event with this number; 0 for all. Only with an ID
	From   time.Time     // only from this time on; zero for all
	Window time.Duration // only the last so much time; 0 if it is not asked for
	Step   string        // the length of a bucket, 1h or 1d; empty for the daemon's choice
}

// Path is the query's route.
func (q HistoryQuery) Path() string {
	v := url.Values{}
	if q.Since > 0 {
		v.Set("since", strconv.FormatUint(q.Since, 10))
	}
	if !q.From.IsZero() {
		v.Set("from", q.From.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if q.Window > 0 {
		v.Set("window", windowText(q.Window))
	}
	if q.Step != "" {
		v.Set("step", q.Step)
	}
	if q.ID == "" {
		return withQuery(HistoryPath, v)
	}
	return withQuery(ProviderPath(q.ID, "history"), v)
}

// windowText is a window in days, if it is whole days.
func windowText(d time.Duration) string {
	if d%provider.Daily == 0 {
		return strconv.Itoa(int(d/provider.Daily)) + "d"
	}
	return d.String()
}

// HistoryOf returns the history of one provider, as far back as the query says.
func (c *Client) HistoryOf(ctx context.Context, q HistoryQuery) (*provider.HistoryReply, error) {
	return call[provider.HistoryReply](ctx, c, Request{Path: q.Path()})
}

// Histories returns how much of the time each configured provider was up and usable. The query
// must have neither ID nor Since.
func (c *Client) Histories(ctx context.Context, q HistoryQuery) (*provider.HistoriesReply, error) {
	q.ID, q.Since = "", 0
	return call[provider.HistoriesReply](ctx, c, Request{Path: q.Path()})
}

// Pause stops the probing of a provider and returns its row.
func (c *Client) Pause(ctx context.Context, id string) (*provider.Status, error) {
	return call[provider.Status](ctx, c, Request{Method: "POST", Path: ProviderPath(id, "pause")})
}

// Resume undoes [Client.Pause].
func (c *Client) Resume(ctx context.Context, id string) (*provider.Status, error) {
	return call[provider.Status](ctx, c, Request{Method: "POST", Path: ProviderPath(id, "resume")})
}

// ReportRequest is a report as [Client.Do] takes it.
func ReportRequest(id string, r provider.Report) (Request, error) {
	body, err := json.Marshal(r)
	return Request{Method: "POST", Path: ProviderPath(id, "report"), Body: body}, err
}

// Report reports what a request of the caller's own met. It returns the provider's row,
// once that is saved. A report that says nothing about the provider is a bad_request.
func (c *Client) Report(ctx context.Context, id string, r provider.Report) (*provider.Status, error) {
	req, err := ReportRequest(id, r)
	if err != nil {
		return nil, err
	}
	return call[provider.Status](ctx, c, req)
}

// Act tells the daemon what the caller asks systemd to do with the provider's unit.
func (c *Client) Act(ctx context.Context, id string, note provider.ActionNote) (*provider.Status, error) {
	body, err := json.Marshal(note)
	if err != nil {
		return nil, err
	}
	return call[provider.Status](ctx, c, Request{Method: "POST", Path: ProviderPath(id, "action"), Body: body})
}

// EventsQuery is which events are wanted.
type EventsQuery struct {
	Since  *uint64 // those after this seq; nil: all that are kept or, with Follow, only new ones
	Follow bool    // continue with new events

	// Note, unless nil, receives the lines that are not events: heartbeats, whose Seq is
	// where to resume, gaps in the events, and the end.
	Note func(provider.StreamNote)
}

// Path is the query's route.
func (q EventsQuery) Path() string {
	v := url.Values{}
	if q.Since != nil {
		v.Set("since", strconv.FormatUint(*q.Since, 10))
	}
	if q.Follow {
		v.Set("follow", "1")
	}
	return withQuery("/api/events", v)
}

// Events yields events in order, none skipped and none twice, except for gaps where the
// daemon's database was damaged. Note receives a gap; if it is nil, the sequence ends with
// events_gone. It ends at the first error; see [Client.Stream].
func (c *Client) Events(ctx context.Context, q EventsQuery) iter.Seq2[provider.Event, error] {
	return decoded[provider.Event](c.Stream(ctx, q.Path(), q.Note))
}

// LogQuery is which part of the daemon's log is wanted.
type LogQuery struct {
	Lines  int  // how many of the latest, or [NoLines]; 0 leaves it to the daemon
	Follow bool // continue with new lines
}

// NoLines asks for none of the past lines.
const NoLines = -1

// Path is the query's route.
func (q LogQuery) Path() string {
	v := url.Values{}
	if q.Lines != 0 {
		v.Set("lines", strconv.Itoa(max(0, q.Lines)))
	}
	if q.Follow {
		v.Set("follow", "1")
	}
	return withQuery("/api/daemon/log", v)
}

// Log yields lines of the daemon's log; see [Client.Stream] for how it ends.
func (c *Client) Log(ctx context.Context, q LogQuery) iter.Seq2[provider.LogLine, error] {
	return decoded[provider.LogLine](c.Stream(ctx, q.Path(), nil))
}

// Daemon returns what the daemon reports about itself.
func (c *Client) Daemon(ctx context.Context) (*provider.DaemonInfo, error) {
	return call[provider.DaemonInfo](ctx, c, Request{Path: DaemonPath})
}

// Config returns the configuration in force.
func (c *Client) Config(ctx context.Context) (*provider.ConfigReply, error) {
	return call[provider.ConfigReply](ctx, c, Request{Path: ConfigPath})
}

// Reload makes the daemon read its configuration again. An invalid configuration changes
// nothing; the error is config_invalid, with its line.
func (c *Client) Reload(ctx context.Context) (*provider.ReloadReply, error) {
	return call[provider.ReloadReply](ctx, c, Request{Method: "POST", Path: ReloadPath})
}

// SetLogLevel changes how much the daemon logs until it ends.
func (c *Client) SetLogLevel(ctx context.Context, level string) (*provider.LogLevel, error) {
	body, err := json.Marshal(provider.LogLevel{Level: level})
	if err != nil {
		return nil, err
	}
	return call[provider.LogLevel](ctx, c, Request{Method: "PUT", Path: LogLevelPath, Body: body})
}

// Discover returns which local kinds of providers answer at their default addresses.
func (c *Client) Discover(ctx context.Context) (*provider.DiscoverReply, error) {
	return call[provider.DiscoverReply](ctx, c, DiscoverRequest())
}

// DiscoverRequest is the request as [Client.Do] takes it.
func DiscoverRequest() Request {
	return Request{Method: "POST", Path: DiscoverPath, Wait: discoverWait}
}

// Health returns whether the daemon itself is healthy. An unhealthy daemon is not an error.
func (c *Client) Health(ctx context.Context) (*provider.Health, error) {
	body, err := c.Do(ctx, Request{Path: HealthPath})
	if body == nil {
		return nil, err
	}
	health, decodeErr := decode[provider.Health](HealthPath, body)
	switch {
	case decodeErr == nil && health.Status != "":
		return health, nil
	case err != nil:
		return nil, err
	case decodeErr != nil:
		return nil, decodeErr
	}
	return nil, unreadable(HealthPath, errors.New("it has no status"))
}
