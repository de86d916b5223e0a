package probe

import (
	"context"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A kind is one row of the table: what the configuration must know of it, and
// how to ask it. Most kinds are data and one function that reads their answer;
// peculiar is for those that need more than one request to decide, or none.
type kind struct {
	config.Kind

	title string // as its vendor writes it, for people

	// path is the request that decides, below base_url.
	path string
	// authorize puts the key into the headers; nil means a Bearer token.
	authorize func(h http.Header, key string)
	// bearer says whether the key is sent as a Bearer token, beside what authorize does or
	// alone. It may be nil: then it is not.
	bearer func(p *config.Provider, base *url.URL) (also, alone bool)
	// rejected is what to do if a key was rejected and may only have been sent in the wrong
	// header; empty if that is not so. It may be nil.
	rejected func(p *config.Provider, base *url.URL) string
	// accept reads a 2xx answer to path. It reports false when the answer has
	// not the kind's own shape.
	accept func(*answer) (Facts, bool)
	// except reads an answer that means something else here than the general
	// rules say; a zero finding leaves it to them. It may be nil.
	except func(*answer) finding
	// confirm asks further, after an answer that accept took, when others may have
	// the same shape. It returns a zero finding when it is this kind; then the
	// Prober asks it no more until the provider was gone. It may be nil.
	confirm func(ctx context.Context, r *run, a *answer) finding
	// refills: its resets say when a limit is whole again, which may be a day away although
	// the next request may come in seconds. If it asks for a time to wait, they do not
	// count.
	refills bool
	// reconsider asks further, after an answer that is not the good one, what is
	// behind it: a server that is not ready yet, or another one. It returns the
	// finding that it was given when it learned nothing. It may be nil.
	reconsider func(ctx context.Context, r *run, a *answer, found finding) finding
	// proof is a further request that is sent when a key is configured, because
	// path is public: 401 and 403 to it reject the key. It may be empty.
	proof string
	// facts are the further requests that tell version and models.
	facts []fact
	// watch makes a function that looks, behind a good answer, for an illness that
	// shows over time. It is called once for each Prober, so what it returns may
	// remember. That is asked with the facts, and with every probe as long as it
	// wants. It may be nil.
	watch func() watcher
	// gateway: it passes requests on to other servers itself, so that its words about one
	// that is not there are its own.
	gateway bool
	// marks reports whether an answer, to whatever path, can only be this
	// kind's, so that it can be named when it answers in another's place.
	marks func(*answer) bool
	// ownedBy is the owned_by that only this kind's models have, so that its list of
	// OpenAI's shape is named when it answers in another's place. It may be empty.
	ownedBy string
	// sign is how a server of a local kind is discovered; empty for the others.
	sign sign
	// anybody: it stands for an API that many servers have, so that none of them
	// answers in another's place.
	anybody bool

	// many is the source that shows that its server serves many connections at once, so
	// that a kept one keeps nobody out. Without it, a connection on this machine is closed
	// after each probe: the server may serve only one.
	many string

	// mute: a connection is all there is; the kind has no answer to give.
	mute bool

	// peculiar makes the function that decides, in place of path and accept. It
	// is called once for each Prober, so what it returns may remember.
	peculiar func(*config.Provider) (asker, error)
}

// An asker decides what one probe found.
type asker func(ctx context.Context, r *run) finding

// A watcher looks for an illness; a zero finding is none. It says whether it wants
// to look again with the next probe.
type watcher func(ctx context.Context, r *run) (ill finding, again bool)

// A fact is a request that adds to what is known and changes no verdict.
type fact struct {
	path string
	post bool                  // it is a question all the same, which its server takes with POST only
	read func(*answer, *Facts) // of a 2xx answer
	// silence is the note when the server accepts the request and does not
	// answer it; empty when that means nothing.
	silence string
	// guarded: its key guards everything that callers use, so 401 means that the provider
	// refuses us, not only this page.
	guarded bool
	// private: its answer may hold keys of the server's own, so the evidence does
	// not show how it begins.
	private bool
}

// A finding is what the evidence amounts to. Its detail may hold anything; it is
// cleaned on its way into the Observation.
type finding struct {
	saw       provider.Reason
	detail    string
	hint      string // what to do next, where it knows better than the kind and the reason; may be empty
	facts     Facts
	hostFault bool
}

// Kinds returns what the configuration must know of every kind, in the order in
// which they are documented.
func Kinds() []config.Kind {
	kinds := make([]config.Kind, len(table))
	for i, k := range table {
		kinds[i] = k.Kind
	}
	return kinds
}
