package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The sizes of values, in bytes.
const (
	MaxMember = 4 << 10
	MaxRow    = 2 << 10
	MaxModels = 64 << 10 // compressed
	MaxHost   = 8 << 10
	MaxSmall  = 256 // claim, limit, refresh
)

// MaxSize is how large a value of that kind of key can be; 0: there is no such kind.
func MaxSize(kind string) int {
	switch kind {
	case Members:
		return MaxMember
	case Rows:
		return MaxRow
	case ModelSet:
		return MaxModels
	case Hosts:
		return MaxHost
	case Claims, Limits, Refresh:
		return MaxSmall
	}
	return 0
}

// Bounds of what a value can say.
const (
	maxVersion  = 48
	maxHostName = 64
	maxEndpoint = 128
	maxModel    = 160 // a model's id, in bytes
	maxAge      = 24 * time.Hour

	// LongestWait is the longest wait that another member's row or limit can impose.
	LongestWait = time.Hour
)

// tagsPerPart is how many tags fit into one part of what a member lists.
const tagsPerPart = 224

// MaxParts is how many parts the list of a member can have. It is enough for 14,000 providers.
const MaxParts = 64

// A Member is a machine of the fleet: the value of members/<member>, and of its further parts,
// which have tags alone.
type Member struct {
	Host    string // its host name
	Version string // of its daemon
	Follows bool   // it makes no own checks
	Since   int64  // Unix time by its own clock, only to be shown
	Shares  int    // how many providers it lists in all parts
	Key     Tag    // which fleet's key it has, see [KeyTag]; zero: it does not say
	Tags    []Tag  // those of this part
}

type memberJSON struct {
	Host    string `json:"host,omitempty"`
	Version string `json:"version,omitempty"`
	Follows bool   `json:"follows,omitempty"`
	Since   int64  `json:"since,omitempty"`
	Shares  int    `json:"shares,omitempty"`
	Key     string `json:"key,omitempty"`
	FPs     string `json:"fps"`
}

// EncodeMember returns the values of the member's keys, by part. Tags that do not fit into
// [MaxParts] are left out: nobody counts on this member for those.
func EncodeMember(m Member) [][]byte {
	tags := m.Tags
	var parts [][]byte
	for len(parts) == 0 || len(tags) > 0 && len(parts) < MaxParts {
		n := min(len(tags), tagsPerPart)
		j := memberJSON{FPs: joinTags(tags[:n])}
		if len(parts) == 0 {
			j.Host, j.Version = hostName(m.Host), version(bare(m.Version))
			j.Follows, j.Since, j.Shares = m.Follows, m.Since, len(m.Tags)
			if m.Key != (Tag{}) {
				j.Key = joinTags([]Tag{m.Key})
			}
		}
		tags = tags[n:]
		parts = append(parts, encode(j))
	}
	return parts
}

func joinTags(tags []Tag) string {
	b := make([]byte, 0, len(tags)*tagText)
	for _, t := range tags {
		b = t.appendText(b)
	}
	return string(b)
}

// A Claim says who probes a provider.
type Claim struct {
	Member string `json:"member"`
}

// Encode returns the claim's value.
func (c Claim) Encode() []byte { return encode(c) }

// A Limit says who met a rate limit, and how long it lasted when that member wrote it.
type Limit struct {
	By        string
	Remaining time.Duration
}

type limitJSON struct {
	By          string `json:"by"`
	RemainingMS int64  `json:"remaining_ms"`
}

// Encode returns the limit's value.
func (l Limit) Encode() []byte {
	return encode(limitJSON{l.By, min(l.Remaining, LongestWait).Milliseconds()})
}

// An Ask is a refresh.
type Ask struct {
	By string `json:"by"`
}

// Encode returns the refresh's value.
func (a Ask) Encode() []byte { return encode(a) }

// A Row is what a provider's prober found.
type Row struct {
	Epoch   int64  // the revision of the claim under which it was written
	By      string // the prober
	State   provider.State
	Reason  provider.Reason
	Version string
	Latency time.Duration
	Age     time.Duration // since the probe began, when this was written
	RetryIn time.Duration // 0: none
	Refresh int64         // the newest refresh that the probe answers: a revision of refresh/<fp>; 0: none
	Probes  uint64        // how many probes the prober has made in this epoch
	Models  string        // the hash of models/<fp>; empty: unknown
	// Extra are the fields that this version does not know, as they were written. The next
	// member that writes this row keeps them.
	Extra map[string]json.RawMessage
}

type rowJSON struct {
	Epoch       int64           `json:"epoch"`
	By          string          `json:"by"`
	State       provider.State  `json:"state"`
	Reason      provider.Reason `json:"reason"`
	Version     string          `json:"version,omitempty"`
	LatencyUS   int64           `json:"latency_us,omitempty"`
	CheckedMS   int64           `json:"checked_ago_ms"`
	RemainingMS int64           `json:"remaining_ms,omitempty"`
	RefreshRev  int64           `json:"refresh_rev,omitempty"`
	Probes      uint64          `json:"probes,omitempty"`
	ModelsHash  string          `json:"models_hash,omitempty"`
}

var rowFields = []string{"epoch", "by", "state", "reason", "version", "latency_us", "checked_ago_ms", "remaining_ms",
	"refresh_rev", "probes", "models_hash"}

// Encode returns the row's value.
func (r Row) Encode() []byte {
	own := encode(rowJSON{
		r.Epoch, r.By, r.State, r.Reason, version(r.Version), bounded(r.Latency, maxAge).Microseconds(),
		bounded(r.Age, maxAge).Milliseconds(), bounded(r.RetryIn, LongestWait).Milliseconds(), r.Refresh, r.Probes, r.Models,
	})
	if len(r.Extra) == 0 {
		return own
	}
	more := encode(r.Extra)
	if len(own)+len(more) > MaxRow {
		return own
	}
	return append(append(own[:len(own)-1], ','), more[1:]...)
}

// Differs reports whether a reader of the row would learn something from next that it does not
// see by itself: ages and latencies are not worth a write.
func (r Row) Differs(next Row) bool {
	const sameWait = 2 * time.Second
	return r.Epoch != next.Epoch || r.By != next.By || r.State != next.State || r.Reason != next.Reason ||
		version(r.Version) != version(next.Version) || r.Refresh != next.Refresh || r.Models != next.Models ||
		(r.RetryIn == 0) != (next.RetryIn == 0) || next.RetryIn > r.RetryIn+sameWait
}

// A Host is a machine's own servers.
type Host struct {
	Version string
	LagMS   float64 // how long a change took to reach this member, as it measured last
	More    int     // servers that were left out, because there are too many
	Servers []Server
}

// A Server is one server of a machine, which other machines may or may not reach.
type Server struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Type     provider.Type   `json:"type"`
	State    provider.State  `json:"state"`
	Reason   provider.Reason `json:"reason"`
	Version  string          `json:"version,omitempty"`
	Endpoint string          `json:"endpoint,omitempty"` // where other machines reach it
	Latency  float64         `json:"latency_ms,omitempty"`
	RetryMS  int64           `json:"remaining_ms,omitempty"`
	Count    *int            `json:"models_count,omitempty"`
	Models   []string        `json:"models,omitempty"` // as many as fit
	Loaded   []string        `json:"loaded,omitempty"`
}

type hostJSON struct {
	Version string            `json:"version,omitempty"`
	LagMS   float64           `json:"lag_ms,omitempty"`
	More    int               `json:"more,omitempty"`
	Servers []json.RawMessage `json:"servers"`
}

// Encode returns the host's value. Servers beyond its size are counted, and before a server is
// left out, its models are.
func (h Host) Encode() []byte {
	j := hostJSON{Version: version(bare(h.Version)), LagMS: h.LagMS, More: h.More}
	const envelope = 160
	room := MaxHost - envelope
	for i, s := range h.Servers {
		share := room / (len(h.Servers) - i)
		b := s.encode(share)
		if len(b)+1 > room {
			j.More++
			continue
		}
		room -= len(b) + 1
		j.Servers = append(j.Servers, b)
	}
	return encode(j)
}

// encode returns the server in at most room bytes, if leaving out models is enough.
func (s Server) encode(room int) []byte {
	s.Version = version(s.Version)
	s.Models, s.Loaded = names(s.Models), names(s.Loaded)
	for {
		b := encode(s)
		if len(b) <= room || len(s.Models)+len(s.Loaded) == 0 {
			return b
		}
		s.Models, s.Loaded = s.Models[:len(s.Models)/2], s.Loaded[:len(s.Loaded)*2/3]
	}
}

// names are the names of models that can be shown.
func names(models []string) []string {
	return slices.DeleteFunc(slices.Clone(models), func(m string) bool { return !isText(m, maxModel) })
}

// version is a server's version if it has the form of one; empty otherwise.
func version(v string) string {
	if isWord(v, maxVersion, ".+_~-") {
		return v
	}
	return ""
}

// bare is a daemon's version without brackets: one that is no release calls itself (devel).
func bare(v string) string { return strings.Trim(v, "()") }

// hostName is the host's name if it has the form of one; empty otherwise.
func hostName(h string) string {
	if isWord(h, maxHostName, ".-_") {
		return h
	}
	return ""
}

// isText reports whether s is a short text that shows as it is.
func isText(s string, longest int) bool {
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool { return !provider.Shows(r) })
}

func bounded(d, most time.Duration) time.Duration { return min(max(d, 0), most) }

// encode encodes a value of this package, none of which can fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
