package probe

import (
	"context"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A kind is one row of the table: what the configuration must know about it, and how to ask
// it. Most kinds are data and one function that reads their answer; peculiar is for those
// that need more than one request to decide, or none.
type kind struct {
	config.Kind

	title string // as its vendor writes it, for people

	// path is the request that decides, below base_url.
	path string
	// authorize puts the key into the headers; nil means a Bearer token.
	authorize func(h http.Header, key string)
	// bearer says whether the key is sent as a Bearer token, beside what authorize does or
	// instead. If it is nil, the key is not.
	bearer func(p *config.Provider, base *url.URL) (also, alone bool)
	// rejected is what to do if a rejected key might only have been sent in the wrong
	// header; empty if not. It may be nil.
	rejected func(p *config.Provider, base *url.URL) string
	// accept reads a 2xx answer to path. It reports false if the answer does not have the
	// kind's own shape.
	accept func(*answer) (Facts, bool)
	// except reads an answer that means something else for this kind than the general rules
	// say; a zero finding leaves it to them. It may be nil.
	except func(*answer) finding
	// confirm sends further requests after an answer that accept took, if other kinds may
	// answer in the same shape. It returns a zero finding if it is this kind; the Prober
	// then does not ask again until the provider was gone. It may be nil.
	confirm func(ctx context.Context, r *run, a *answer) finding
	// refills: its resets say when a limit is full again. That may be a day away even if
	// the next request is allowed in seconds. They do not count if the answer asks for a
	// time to wait.
	refills bool
	// reconsider sends further requests after an answer that is not the good one, to find
	// out what is behind it: a server that is not ready yet, or another one. It returns the
	// finding that it was given if it learned nothing. It may be nil.
	reconsider func(ctx context.Context, r *run, a *answer, found finding) finding
	// proof is a further request, sent if a key is configured, because path is public: 401
	// and 403 to it mean that the key is rejected. It may be empty.
	proof string
	// facts are the further requests for version and models.
	facts []fact
	// watch makes a watcher, which looks behind a good answer for a fault that shows only
	// over time. It is called once for each Prober, so the watcher can keep state. The
	// watcher runs with the facts, and with every probe for as long as it asks for that. It
	// may be nil.
	watch func() watcher
	// gateway: it forwards requests to other servers itself, so its words about a missing
	// server are its own.
	gateway bool
	// marks reports whether an answer, to any path, can only be this kind's. It is then
	// named if it answers in another kind's place.
	marks func(*answer) bool
	// ownedBy is the owned_by that only this kind's models have. By it, the kind is named
	// if its OpenAI list comes in another kind's place. It may be empty.
	ownedBy string
	// sign is how a server of a local kind is discovered; empty for the others.
	sign sign
	// anybody: it stands for an API that many servers have, so none of them is the wrong
	// one.
	anybody bool

	// many names the source that shows that its server serves many connections at once, so
	// that a kept one shuts nobody out. Without it, a connection on this machine is closed
	// after each probe, because the server may serve only one.
	many string

	// mute: a connection is all there is; the kind gives no answer.
	mute bool

	// peculiar makes the function that decides, instead of path and accept. It is called
	// once for each Prober, so the function can keep state.
	peculiar func(*config.Provider) (asker, error)
}

// An asker decides what one probe found.
type asker func(ctx context.Context, r *run) finding

// A watcher looks for a fault; a zero finding means none. It reports whether it wants to
// look again with the next probe.
type watcher func(ctx context.Context, r *run) (ill finding, again bool)

// A fact is a request that adds to what is known and does not change the verdict.
type fact struct {
	path string
	post bool                  // it changes nothing, but its server takes it only as POST
	read func(*answer, *Facts) // of a 2xx answer
	// silence is the note if the server accepts the request and does not answer it; empty
	// if that means nothing.
	silence string
	// guarded: one key guards everything that callers use, so 401 means that the provider
	// refuses us, and not only this page.
	guarded bool
	// private: its answer may hold the server's own keys, so the evidence does not show its
	// beginning.
	private bool
}

// A finding is what the evidence amounts to. Its detail may hold anything; it is
// cleaned on its way into the Observation.
type finding struct {
	saw       provider.Reason
	detail    string
	hint      string // what to do next, if more specific than the hint of the kind and the reason; may be empty
	facts     Facts
	hostFault bool
}

// Kinds returns what the configuration must know about every kind, in the order of the
// documentation.
func Kinds() []config.Kind {
	kinds := make([]config.Kind, len(table))
	for i, k := range table {
		kinds[i] = k.Kind
	}
	return kinds
}
