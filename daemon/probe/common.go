package probe

import (
	"hash/maphash"
	"maps"
	"net/http"
	"sync"

	"github.com/providerd/providerd/daemon/probe/transport"
)

// A Common is what the Probers of a daemon have in common, so that a thousand of them do
// not hold a thousand copies: the headers of requests without a key, and what servers of
// one version all say. What was handed out never changes, and nothing depends on it: what
// is not shared, a Prober keeps for itself. The zero value is ready; nil shares nothing.
// Its methods may be called by several goroutines.
type Common struct {
	mu      sync.Mutex
	bare    map[bareKey]http.Header
	texts   [512]string           // each at the place of its hash, until another takes that
	headers [16]map[string]string // in the same way

	files transport.TLSFiles
}

// tlsFiles are the files of certificates; nil shares none.
func (c *Common) tlsFiles() *transport.TLSFiles {
	if c == nil {
		return nil
	}
	return &c.files
}

// A bareKey is what the headers of a request without a key depend on.
type bareKey struct {
	kind  *kind
	agent string
}

// headersOf returns what made makes for a kind and an agent; it must always be the same.
func (c *Common) headersOf(k *kind, agent string, made func() http.Header) http.Header {
	if c == nil {
		return made()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := bareKey{k, agent}
	h, ok := c.bare[key]
	if !ok {
		if h = made(); c.bare == nil {
			c.bare = make(map[bareKey]http.Header)
		}
		c.bare[key] = h
	}
	return h
}

// text returns a text that is equal to s, if possible one that another Prober holds
// too.
func (c *Common) text(s string) string {
	if c == nil || s == "" {
		return s
	}
	hash := maphash.String(hashSeed, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	at := &c.texts[hash%uint64(len(c.texts))]
	if *at != s {
		*at = s
	}
	return *at
}

// answered is text for the headers of an answer.
func (c *Common) answered(h map[string]string) map[string]string {
	if c == nil || h == nil {
		return h
	}
	var hash uint64 // independent of their order
	for name, value := range h {
		hash += maphash.String(hashSeed, name) ^ 3*maphash.String(hashSeed, value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := &c.headers[hash%uint64(len(c.headers))]
	if !maps.Equal(*at, h) {
		*at = h
	}
	return *at
}

// facts is text for what a provider reports about itself.
func (c *Common) facts(f *Facts) {
	f.Version = c.text(f.Version)
	for i := range f.Models {
		m := &f.Models[i]
		m.ID, m.Family, m.Quantization = c.text(m.ID), c.text(m.Family), c.text(m.Quantization)
		for j := range m.Aliases {
			m.Aliases[j] = c.text(m.Aliases[j])
		}
	}
	for i := range f.Loaded {
		f.Loaded[i] = c.text(f.Loaded[i])
	}
}
