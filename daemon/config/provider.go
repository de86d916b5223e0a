package config

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Provider is one complete [[provider]] of the configuration: every default is filled in,
// the key is read, and nothing is left to look up. Equal Providers (reflect.DeepEqual) need no
// new probe after a reload.
type Provider struct {
	ID       string
	Kind     string
	Type     provider.Type
	Detected bool   // watched on any machine, and no file names it
	BaseURL  string // normalised; may contain user-info, so show Endpoint instead
	Endpoint string // BaseURL without user-info
	// BaseURLGiven means that base_url is in the file, rather than the vendor's default or
	// from a variable.
	BaseURLGiven bool
	Key          Secret
	// KeySource is where the key comes from: "env OPENAI_API_KEY", "file /run/…",
	// or empty. It is set without a Key if api_key_env names a variable that is not set.
	KeySource string
	// KeyMissing is the variable that should have the key, if the kind needs one and there is
	// none; otherwise empty.
	KeyMissing string
	// AddressFault and KeyFault say why the address or the key cannot be used; they are
	// empty if it can. Nothing is sent without an address, or without a key to a kind
	// that needs one.
	AddressFault string
	KeyFault     string
	Models       []string
	Interval     time.Duration
	Timeout      time.Duration
	SlowAfter    time.Duration
	Rise         int
	Private      bool // never shared with a fleet
	Fall         int
	// KeyDoubt says why a key hardly looks like one, and what to do; empty if it does. It
	// names only the form.
	KeyDoubt string
	// Expect are the conditions of the generic kinds.
	Expect  Expect
	Command []string       // of kind exec: the program and its arguments
	Unit    string         // of systemd: the one that runs the server, or that kind systemd probes
	Bus     string         // whose systemd has Unit: "system" or "user"; empty: the system's
	TLS     *TLS           // nil: what the machine has is enough
	Hints   provider.Hints // of its kind
	// Client is how to configure programs that use it; nil if there is nothing to configure.
	Client *provider.Client
	// Slots is how many callers may hold a slot; the zero Slots has none to give.
	Slots Slots
	// Feed is the vendor's status feed that is followed; the zero Feed is none.
	Feed Feed
}

// Unasked reports whether nobody asked for the provider: it is watched on any machine, no
// file names it, and no key for it is set, not even a bad one.
func (p *Provider) Unasked() bool { return p.Detected && p.Key.IsZero() && p.KeySource == "" }

// Expect is what a healthy answer of a generic provider looks like; every
// condition that is set must hold. None set: any 2xx status.
type Expect struct {
	Status []int  // expect_status = [200, 204]
	Body   string // expect_body = "regexp", RE2
	// JSON is expect_json = { "$.status" = "ok" }: JSONPath (RFC 9535) to the
	// value it must have: a string, an int64, a float64 or a bool.
	JSON   map[string]any
	Days   int    // expect_days = 14: how long a certificate must stay valid; 0: not set
	Answer string // expect_answer = "regexp", RE2, of a name's records
}

// TTL is the age at which a row of this provider is stale.
func (p *Provider) TTL() time.Duration { return p.Interval + p.Timeout }
