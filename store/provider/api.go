package provider

import "fmt"

// The replies of the control socket, in the order of docs/api.md. Fields are
// added, never renamed or removed.

// StatusReply answers GET /api/providers/status.
type StatusReply struct {
	TS         Time     `json:"ts"`
	CacheTTLMS int64    `json:"cache_ttl_ms"` // the smallest ttl_ms
	Seq        uint64   `json:"seq"`          // every event up to this one is in the rows
	Providers  []Status `json:"providers"`
	// Maintenance is that of any of the providers which lasts now.
	Maintenance []Maintenance `json:"maintenance,omitempty"`
	// Slots are those of the providers that have any.
	Slots []SlotsReply `json:"slots,omitempty"`
}

// RefreshReply answers POST /api/providers/refresh. A status with this Generation or a
// later one is from a probe that began after the refresh was accepted.
type RefreshReply struct {
	Status     string    `json:"status"` // "refresh_triggered", or "refreshed" after a wait
	ProviderID string    `json:"provider_id,omitempty"`
	IDs        []string  `json:"provider_ids,omitempty"` // if several were named
	Scope      string    `json:"scope,omitempty"`        // "all" if none was named
	Message    string    `json:"message"`
	Generation uint64    `json:"generation"`
	Skipped    []Skipped `json:"skipped,omitempty"`
	Providers  []Status  `json:"providers,omitempty"` // with wait
	Error      *Error    `json:"error,omitempty"`     // with wait, if it timed out
}

// Skipped is why a refresh did not probe a provider.
type Skipped struct {
	ID      string `json:"id"`
	Reason  Reason `json:"reason"` // rate_limited or paused
	Message string `json:"message"`
	RetryAt Time   `json:"retry_at,omitzero"`
}

// ModelsReply answers GET /api/providers/{id}/models.
type ModelsReply struct {
	ID        string  `json:"id"`
	CheckedAt Time    `json:"checked_at,omitzero"` // when the list was read
	Models    []Model `json:"models"`
}

// A Gap is events that are gone, between others that are kept, because the database was
// damaged.
type Gap struct {
	First uint64 `json:"first"` // seq
	Last  uint64 `json:"last"`
}

func (g Gap) String() string {
	if g.First == g.Last {
		return fmt.Sprintf("event %d", g.First)
	}
	return fmt.Sprintf("events %d to %d", g.First, g.Last)
}

// Diagnostics answers GET /api/providers/{id}/diagnostics: what the last probe saw, layer
// by layer. It has no secrets.
type Diagnostics struct {
	ID       string        `json:"id"`
	Kind     string        `json:"kind"`
	Endpoint string        `json:"endpoint"`
	BeganAt  Time          `json:"began_at,omitzero"`
	TookMS   float64       `json:"took_ms"`
	Resolve  *ResolveStep  `json:"resolve,omitempty"`
	Dial     []DialStep    `json:"dial,omitempty"`
	Listener *ListenerStep `json:"listener,omitempty"`
	TLS      *TLSStep      `json:"tls,omitempty"`
	Requests []Exchange    `json:"requests,omitempty"`
	Checks   []CheckStep   `json:"checks,omitempty"`
	Feed     *FeedStep     `json:"feed,omitempty"` // read independently of probes
	Verdict  Verdict       `json:"verdict"`
}

// DiagnoseReply answers POST /api/providers/{id}/diagnose: the evidence of a probe that
// began after the request or, with Skipped or Error, of the last one.
type DiagnoseReply struct {
	Diagnostics
	Generation uint64   `json:"generation"`
	Skipped    *Skipped `json:"skipped,omitempty"` // why there was no probe
	Error      *Error   `json:"error,omitempty"`   // if it timed out
}

// ResolveStep is the lookup of the host's name; absent for an address.
type ResolveStep struct {
	Host      string   `json:"host"`
	Addresses []string `json:"addresses,omitempty"`
	TookMS    float64  `json:"took_ms"`
	Error     string   `json:"error,omitempty"`
}

// DialStep is one attempt to connect. A probe over a kept connection has none.
type DialStep struct {
	Address string  `json:"address"`
	TookMS  float64 `json:"took_ms"`
	Error   string  `json:"error,omitempty"`
}

// ListenerStep is who serves a connection that ends on this machine, as far as the system
// reports it; absent for a connection that leaves the machine.
type ListenerStep struct {
	Address     string  `json:"address"`                // host and port, or the path of a Unix socket
	UID         *uint32 `json:"uid,omitempty"`          // of the user who owns the listening socket
	PID         int     `json:"pid,omitempty"`          // of the process that holds it
	KeyWithheld string  `json:"key_withheld,omitempty"` // why that user was not given the key
}

// TLSStep is the handshake.
type TLSStep struct {
	Version  string  `json:"version,omitempty"`
	Issuer   string  `json:"issuer,omitempty"`
	Subject  string  `json:"subject,omitempty"`
	NotAfter Time    `json:"not_after,omitzero"`
	DaysLeft *int    `json:"days_left,omitempty"`
	TookMS   float64 `json:"took_ms"`
	Error    string  `json:"error,omitempty"`

	GoodUntil Time `json:"good_until,omitzero"` // kind tls: when this certificate, or the first in its chain, expires

	ClientCertificate *ClientCertificateStep `json:"client_certificate,omitempty"` // nil: the server asked for none
	Outdated          string                 `json:"outdated,omitempty"`           // why a changed file of certificates could not be used
}

// ClientCertificateStep is the server's request for a client certificate, and what it got.
type ClientCertificateStep struct {
	Takes    []string `json:"takes,omitempty"`    // some of the authorities that the server accepts
	Shown    string   `json:"shown,omitempty"`    // the subject of the certificate it got; empty: none
	NotAfter Time     `json:"not_after,omitzero"` // when that expires
}

// Exchange is one HTTP request and its answer.
type Exchange struct {
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Reused    bool              `json:"reused_connection"`
	Status    int               `json:"status,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"` // those that matter to a diagnosis
	BodyStart string            `json:"body_start,omitempty"`
	BodyBytes int64             `json:"body_bytes"`
	TookMS    float64           `json:"took_ms"`
	Error     string            `json:"error,omitempty"`

	ClockAheadMS int64 `json:"clock_ahead_ms,omitempty"` // of the server's clock, by its Date; negative: behind. Absent below 5 s
}

// CheckStep is one request that is not made over HTTP, and its answer.
type CheckStep struct {
	Asked  string  `json:"asked"`
	Answer string  `json:"answer,omitempty"`
	TookMS float64 `json:"took_ms"`
	Error  string  `json:"error,omitempty"`
}

// Verdict is how the evidence was judged.
type Verdict struct {
	State     State  `json:"state"`
	Reason    Reason `json:"reason"` // of the row, after thresholds
	Saw       Reason `json:"saw"`    // the rule that matched this probe's evidence
	Detail    string `json:"detail,omitempty"`
	Doubt     *Doubt `json:"doubt,omitempty"` // of the row
	Hint      string `json:"hint,omitempty"`
	Definite  bool   `json:"definite"` // one such probe changes the state
	Doubts    int    `json:"doubts"`   // doubtful probes in succession
	Fall      int    `json:"fall"`     // how many of them change the state
	NextCheck Time   `json:"next_check_at,omitzero"`
}

// Report is the body of POST /api/providers/{id}/report: what a caller met. It has the
// Status of an answer that was a failure, or the Error of a request without an answer.
type Report struct {
	Status     int    `json:"status,omitempty"`      // 401, 402, 403, 429 or 5xx
	Error      string `json:"error,omitempty"`       // "timeout", "refused" or "reset"
	RetryAfter string `json:"retry_after,omitempty"` // when to retry: seconds or a date, as in the header, or a duration

	// Headers are those of the answer that are about limits (retry-after, x-ratelimit-…,
	// anthropic-ratelimit-…, date). The daemon reads them as a probe does; RetryAfter
	// overrides them.
	Headers map[string][]string `json:"headers,omitempty"`
}

// DaemonInfo answers GET /api/daemon.
type DaemonInfo struct {
	Version       string   `json:"version"`
	PID           int      `json:"pid"`
	StartedAt     Time     `json:"started_at"`
	UptimeSeconds int64    `json:"uptime_seconds"`
	Socket        string   `json:"socket"`
	ConfigPath    string   `json:"config_path"`              // empty: built-in defaults
	ConfigDefault string   `json:"config_default,omitempty"` // where a file would be, while there is none
	StatePath     string   `json:"state_path"`               // the database file
	LogLevel      string   `json:"log_level"`
	Providers     int      `json:"providers"`
	Generation    uint64   `json:"generation"`
	Seq           uint64   `json:"seq"`
	DatabaseBytes int64    `json:"database_bytes"`
	StoreError    string   `json:"store_error,omitempty"` // why the last commit failed
	Counters      Counters `json:"counters"`
	Setup         *Setup   `json:"setup,omitempty"` // absent in the reply of an older daemon
}

// Counters count since the daemon started.
type Counters struct {
	Probes        uint64 `json:"probes"`
	ProbesFailed  uint64 `json:"probes_failed"` // the probe itself broke
	Refreshes     uint64 `json:"refreshes"`
	Coalesced     uint64 `json:"coalesced"` // refreshes that shared another's probe
	Commits       uint64 `json:"commits"`
	CommitsFailed uint64 `json:"commits_failed"`
	InFlight      int64  `json:"in_flight"` // probes in progress
	Requests      uint64 `json:"requests"`
	Streams       int64  `json:"streams"` // open now
	Denied        uint64 `json:"denied"`
}

// DiscoverReply answers POST /api/discover.
type DiscoverReply struct {
	TS           Time         `json:"ts"`
	Found        []Discovered `json:"found"`         // one for each default address where something answers
	ConfigPath   string       `json:"config_path"`   // where the configuration is, or would be
	ConfigExists bool         `json:"config_exists"` // it was read from that file
}

// Discovered is what answers at the default address of a local kind.
type Discovered struct {
	Kind    string `json:"kind,omitempty"` // absent if it is not a known kind
	BaseURL string `json:"base_url"`
	Version string `json:"version,omitempty"`
	Note    string `json:"note,omitempty"` // one printable line
	ID      string `json:"id,omitempty"`   // of the provider configured with that address
}

// Health answers GET /healthz, with status 503 unless Status is "ok".
type Health struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"` // "ok", or what is wrong
	Fleet  FleetMode         `json:"fleet"`  // how this machine stands to its fleet; never a reason for another status
}

// ConfigReply answers GET /api/daemon/config.
type ConfigReply struct {
	ConfigPath    string   `json:"config_path"`              // the file it was read from; empty: built-in defaults
	TOML          string   `json:"toml"`                     // what is in force, as an equivalent file without secrets
	RestartNeeded []string `json:"restart_needed,omitempty"` // settings of the file that wait for a restart
	Warnings      []string `json:"warnings,omitempty"`       // what is allowed in the file but hardly meant
}

// ReloadReply answers POST /api/daemon/reload.
type ReloadReply struct {
	Status        string   `json:"status"` // "reloaded"
	ConfigPath    string   `json:"config_path"`
	Added         []string `json:"added"`
	Removed       []string `json:"removed"`
	Changed       []string `json:"changed"`
	Unchanged     int      `json:"unchanged"`
	RestartNeeded []string `json:"restart_needed,omitempty"` // settings that wait for a restart
	Applied       []string `json:"applied,omitempty"`        // settings of [daemon] that took effect: log_level = "debug"
	// ChangedSettings are the names of the settings that changed, for each of Changed.
	ChangedSettings map[string][]string `json:"changed_settings,omitempty"`
	Warnings        []string            `json:"warnings,omitempty"` // what is allowed in the file but hardly meant
}

// LogLevel is the body of PUT /api/daemon/log-level and its reply.
type LogLevel struct {
	Level string `json:"level"`
}

// LogLine is one line of GET /api/daemon/log.
type LogLine struct {
	Time    Time           `json:"time"`
	Level   string         `json:"level"`
	Message string         `json:"message"`
	Fields  map[string]any `json:"fields,omitempty"`
}

// StreamNote is a line of a stream that is not data: a heartbeat while idle, a gap for
// events that are gone, a change of the fleet, or the last line, with why the stream ends.
// Type is "heartbeat", "gap", "fleet" or "end".
type StreamNote struct {
	Type   string `json:"type"`
	Reason string `json:"reason,omitempty"` // of the end: "shutting_down", "slow_reader", "store_failing"; of a gap: "events_gone"
	First  uint64 `json:"first,omitempty"`  // of a gap: the first event that is gone; seq is the last
	Seq    uint64 `json:"seq"`              // resume with since=SEQ

	Fleet FleetMode `json:"fleet,omitempty"` // of type fleet: the mode; GET /api/fleet has the rest
}

// The Type of a [StreamNote].
const (
	NoteHeartbeat = "heartbeat"
	NoteGap       = "gap"
	NoteFleet     = "fleet"
	NoteEnd       = "end"
)

// Gap is the events that are gone, for a note of type gap.
func (n StreamNote) Gap() Gap { return Gap{n.First, n.Seq} }

// ErrorReply is the body of every reply that is not a success.
type ErrorReply struct {
	Error *Error `json:"error"`
}
