package sink

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/underway"
)

// Options are what sinks need of the daemon. Log is required.
type Options struct {
	Log       hclog.Logger
	Env       config.Env // where credentials and the session's bus are; whether the daemon is the system's
	UserAgent string
	Files     *underway.Work // operations on files that may hang; nil: none is limited

	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net's own
	Proxy func(*http.Request) (*url.URL, error)                             // nil: according to the environment
}

// A maker checks a sink's settings or, with read, makes the sink too, which reads its
// credentials. Without read the sink is nil.
type maker func(n *config.Notify, o *Options, t *texts, read bool) (Sink, error)

// New makes the sink that a [[notify]] describes, and reads its credentials: a file that hangs
// blocks it. A [*config.SettingError] says which setting is wrong. Nothing is sent.
func New(n config.Notify, o Options) (Sink, error) {
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.Files == nil {
		o.Files = new(underway.Work)
	}
	return of(&n, &o, true)
}

// Check returns a [*config.SettingError] if a sink's settings are wrong, as far as that can be
// told without reading its credentials.
func Check(n *config.Notify) error {
	_, err := of(n, &Options{}, false)
	return err
}

func of(n *config.Notify, o *Options, read bool) (Sink, error) {
	t, err := parseTexts(n)
	if err != nil {
		return nil, err
	}
	make := maker(newService)
	switch n.Kind {
	case "webhook":
		make = newWebhook
	case "exec":
		make = newExec
	case "desktop":
		make = newDesktop
	}
	return make(n, o, t, read)
}
