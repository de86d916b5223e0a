package config

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Provider is one [[provider]] of the configuration, complete: every default
// is filled in, the key is read, nothing is left to look up.
// Two equal Providers (reflect.DeepEqual) need no new probe after a reload.
type Provider struct {
	ID       string
	Kind     string
	Type     provider.Type
	BaseURL  string // normalised; may hold user-info, so show Endpoint instead
	Endpoint string // BaseURL without user-info
	// BaseURLGiven: the configuration file says base_url; it is not the vendor's
	// default, nor a variable's.
	BaseURLGiven bool
	Key          Secret
	// KeySource is where the key comes from: "env OPENAI_API_KEY", "file /run/…",
	// or empty. It is set, and Key is not, when api_key_env names a variable
	// that is not set.
	KeySource string
	// KeyMissing is the variable that should hold the key which the kind needs, and
	// which is nowhere; empty when there is one, or none is needed.
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
	Fall         int
	// KeyDoubt says, with what to do, why a key that is sent is hardly one; empty if it
	// may be one. It names the form only.
	KeyDoubt string
	// Expect are the conditions of the kinds that take some.
	Expect  Expect
	Command []string       // of kind exec: the program and its arguments
	Unit    string         // of kind systemd
	Bus     string         // of kind systemd: "system" or "user"
	TLS     *TLS           // nil: what this machine has is enough
	Hints   provider.Hints // of its kind
	// Client is how programs are told where it is; nil when there is nothing to tell.
	Client *provider.Client
	// Feed is the vendor's status feed that is followed; the zero Feed is none.
	Feed Feed
}

// Expect is what a healthy answer of a generic provider looks like; every
// condition that is set must hold. None set: any 2xx status.
type Expect struct {
	Status []int  // expect_status = [200, 204]
	Body   string // expect_body = "regexp", RE2
	// JSON is expect_json = { "$.status" = "ok" }: JSONPath (RFC 9535) to the
	// value it must have: a string, an int64, a float64 or a bool.
	JSON   map[string]any
	Days   int    // expect_days = 14: how long a certificate must be good for; 0 is not set
	Answer string // expect_answer = "regexp", RE2, of a name's records
}

// TTL is the age at which a row of this provider is stale.
func (p *Provider) TTL() time.Duration { return p.Interval + p.Timeout }
