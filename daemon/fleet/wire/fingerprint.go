package wire

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
)

// An FP is the fingerprint of a provider, or of what a rate limit belongs to: 160 bits of an
// HMAC with the fleet's key. Without that key nobody can test a guess of an address or a secret
// against it.
type FP [20]byte

func (f FP) String() string { return hex.EncodeToString(f[:]) }

// ParseFP reads a fingerprint as it is in keys.
func ParseFP(s string) (f FP, ok bool) {
	if len(s) != 2*len(f) || strings.ContainsAny(s, "ABCDEF") {
		return f, false
	}
	n, err := hex.Decode(f[:], []byte(s))
	return f, err == nil && n == len(f)
}

// A Tag is the beginning of a fingerprint, which is enough to say who lists a provider.
type Tag [12]byte

// Tag returns the fingerprint's tag.
func (f FP) Tag() Tag { return Tag(f[:12]) }

// tagText is the length of a tag in a member's value.
const tagText = 16

func (t Tag) appendText(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(b, t[:]) }

// Identity is how the members of a fleet name a provider, and whom its limits concern.
type Identity struct {
	FP    FP // same server, kind, key and conditions
	Limit FP // same server and key; without a key, same server and kind
}

// Identify computes the names of a provider that is shared ([Unshared] is empty).
func Identify(key []byte, p *config.Provider) Identity {
	keyID := ""
	if !p.Key.IsZero() {
		id := mac(key, "key", p.Key.Reveal())
		keyID = hex.EncodeToString(id[:])
	}
	parts := []string{"server", p.Kind, normal(p.BaseURL), keyID}
	if c := conditions(p); c != "" {
		parts = append(parts, c)
	}
	whose := keyID
	if keyID == "" {
		whose = p.Kind
	}
	return Identity{FP: mac(key, parts...), Limit: mac(key, "limit", server(p.BaseURL), whose)}
}

// KeyTag is a tag of the fleet's key, which is the same for all members that have the same key. It
// does not help to find the key.
func KeyTag(key []byte) Tag { return mac(key, "fleet").Tag() }

func mac(key []byte, parts ...string) (f FP) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strings.Join(parts, "\x00")))
	copy(f[:], h.Sum(nil))
	return f
}

// conditions are the settings that decide what a healthy answer is, as one text; empty if there
// are none. Members with other conditions probe for themselves, because the finding of one says
// nothing about those of another. slow_after is not among them: the receiver applies its own to
// the latency that it is told.
func conditions(p *config.Provider) string {
	var b bytes.Buffer
	if len(p.Models) > 0 {
		models := slices.Clone(p.Models)
		slices.Sort(models)
		fmt.Fprintf(&b, "models %q\n", slices.Compact(models))
	}
	e := p.Expect
	if len(e.Status) > 0 || e.Body != "" || len(e.JSON) > 0 || e.Days != 0 || e.Answer != "" {
		fmt.Fprintf(&b, "expect %v %q %d %q\n", e.Status, e.Body, e.Days, e.Answer)
		for _, path := range slices.Sorted(maps.Keys(e.JSON)) {
			value, _ := json.Marshal(e.JSON[path])
			fmt.Fprintf(&b, "json %q %s\n", path, value)
		}
	}
	if p.TLS != nil {
		fmt.Fprintf(&b, "tls %x\n", p.TLS.Sum)
	}
	return b.String()
}

// normal is an address in one form for all that mean the same.
func normal(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	path := u.EscapedPath()
	if strings.Trim(path, "/") == "" {
		path = ""
	}
	query := ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	return strings.ToLower(u.Scheme) + "://" + server(base) + path + query
}

// server is the host and port of an address.
func server(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)])
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
}

// Rank orders the members that could probe a provider: the lowest first. Every member computes
// the same order, and each provider has an order of its own, which spreads them evenly.
func Rank(f FP, member string) uint64 {
	h := sha256.New()
	h.Write(f[:])
	h.Write([]byte(member))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
