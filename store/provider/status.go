package provider

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Time is an instant on the wire: RFC 3339, UTC, milliseconds. Its zero value
// is unknown and is left out of replies.
type Time struct{ time.Time }

// AppendText implements [encoding.TextAppender], and through it JSON. Every reply has
// several times. The layout that package time has a fast path for, followed by three
// digits, takes a quarter of the time of a layout that includes them.
func (t Time) AppendText(b []byte) ([]byte, error) {
	utc := t.UTC()
	b = utc.AppendFormat(b, time.RFC3339)
	ms := utc.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z'), nil
}

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return t.AppendText(nil) }

// MarshalJSON implements [encoding/json.Marshaler]. It exists because that of the embedded
// [time.Time] would print nanoseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	b, err := t.AppendText([]byte{'"'})
	return append(b, '"'), err
}

// UnmarshalJSON accepts any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if err := t.Time.UnmarshalJSON(b); err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	return nil
}

// Milliseconds is a duration as on the wire: to two decimals.
func Milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}

// A Status is what is known of one provider: one row of the table. Unknown fields are left
// out of the JSON.
type Status struct {
	ID       string  `json:"id"`
	Kind     string  `json:"kind"`
	Type     Type    `json:"type"`
	State    State   `json:"state"`
	Reason   Reason  `json:"reason"`
	Detail   string  `json:"detail,omitempty"`   // one printable line, without secrets
	Doubt    *Doubt  `json:"doubt,omitempty"`    // seen since, but not enough to change the row
	Hint     string  `json:"hint,omitempty"`     // what to do next
	Endpoint string  `json:"endpoint,omitempty"` // the URL, without user-info
	Client   *Client `json:"client,omitempty"`   // how programs reach it

	LatencyMS   float64 `json:"latency_ms,omitempty"` // the deciding request's, to two decimals
	CheckedAt   Time    `json:"checked_at,omitzero"`  // when the last probe began
	TTLMS       int64   `json:"ttl_ms"`               // older than this, the row is stale
	Since       Time    `json:"since,omitzero"`       // when the state last changed
	LastOKAt    Time    `json:"last_ok_at,omitzero"`  // the last probe that found it RUNNING
	LastError   string  `json:"last_error,omitempty"` // the last reason and detail that were not ok
	NextCheckAt Time    `json:"next_check_at,omitzero"`
	RetryAt     Time    `json:"retry_at,omitzero"` // send nothing before this
	Generation  uint64  `json:"generation"`        // see [RefreshReply]

	Version      string   `json:"version,omitempty"`
	ModelsCount  *int     `json:"models_count,omitempty"`
	LoadedModels []string `json:"loaded_models,omitempty"`

	Busy          *Busy     `json:"busy,omitempty"` // the requests that it has, if it reports them
	PID           int32     `json:"pid,omitempty"`
	KeyWithheld   bool      `json:"key_withheld,omitempty"` // the last probe did not send the key, because it does not trust the user who serves it
	Paused        bool      `json:"paused,omitempty"`
	Unasked       bool      `json:"unasked,omitempty"` // it is watched on any machine, and neither a file nor a key asks for it
	PIDExists     *bool     `json:"pid_exists,omitempty"`
	PortListening *bool     `json:"port_listening,omitempty"` // a connection was accepted
	APIResponding *bool     `json:"api_responding,omitempty"` // an answer in its protocol came back
	Incident      *Incident `json:"incident,omitempty"`       // according to the vendor's own status feed
	Source        Source    `json:"source"`
	By            *string   `json:"by,omitempty"`       // the member of the fleet that probed it, or was told to wait
	Reported      *Reported `json:"reported,omitempty"` // what a caller met, until a probe overrules it
	Hearsay       *Hearsay  `json:"hearsay,omitempty"`  // what users who are not administrators met
	Limits        *Limits   `json:"limits,omitempty"`   // what is left, as far as it says so

	// AgeMS and Stale depend on the time of the request: the server appends them when it
	// answers, and they stay zero inside the daemon.
	AgeMS *int64 `json:"age_ms,omitempty"` // since CheckedAt, by a clock that does not jump
	Stale bool   `json:"stale"`            // older than TTLMS, or restored
}

// An Event records that a provider's state or reason changed; or, with the id [HostID],
// that this machine lost sight of its remote providers, or sees them again.
type Event struct {
	Seq       uint64   `json:"seq"` // rises by one, never reused; 0 in a history: events are lost here
	Time      Time     `json:"time"`
	ID        string   `json:"id"`
	From      State    `json:"from"`
	To        State    `json:"to"`
	Reason    Reason   `json:"reason"`
	Detail    string   `json:"detail,omitempty"`
	Doubt     *Doubt   `json:"doubt,omitempty"` // the row's doubt at that time
	LatencyMS float64  `json:"latency_ms,omitempty"`
	IDs       []string `json:"ids,omitempty"`     // of the providers that an event of the host is about
	Hearsay   bool     `json:"hearsay,omitempty"` // users who are no administrators said so, and nobody else
	Action    *Action  `json:"action,omitempty"`  // what a user had just asked systemd to do
}

// HostID is the id of this machine in events; no provider can have it.
const HostID = "host"

// Concerns reports whether the event is about the provider.
func (e *Event) Concerns(id string) bool { return e.ID == id || slices.Contains(e.IDs, id) }

// A Reported is what a caller met. It holds until a probe that began later overrules it,
// except that RetryAt holds until it has passed.
type Reported struct {
	At      Time   `json:"at"`
	Reason  Reason `json:"reason"`
	Detail  string `json:"detail"`
	RetryAt Time   `json:"retry_at,omitzero"`
}

// A Model is one model that a provider lists.
type Model struct {
	ID            string   `json:"id"`
	Aliases       []string `json:"aliases,omitempty"` // other names for it in requests
	Size          int64    `json:"size,omitempty"`    // bytes
	Family        string   `json:"family,omitempty"`
	Quantization  string   `json:"quantization,omitempty"`
	ContextLength int64    `json:"context_length,omitempty"` // tokens
	Loaded        *bool    `json:"loaded,omitempty"`         // absent if the kind does not report it
}

// Lists reports whether a provider of that kind lists a model by that name, which can be
// its id or an alias. For Ollama, NAME means NAME:latest.
func Lists(kind string, models []Model, name string) bool {
	for i := range models {
		m := &models[i]
		if m.ID == name || kind == "ollama" && m.ID == name+":latest" || slices.Contains(m.Aliases, name) {
			return true
		}
	}
	return false
}
