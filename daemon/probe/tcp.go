package probe

import (
	"context"
	"fmt"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// tcpService is anything that accepts connections: tcp://host:port, or
// unix:///path of a socket.
var tcpService = kind{
	Kind: config.Kind{
		Name:    "tcp",
		Type:    provider.Generic,
		Schemes: []string{"tcp", "unix"},
		Check:   checkTCP,
	},
	title:    "the expected service",
	mute:     true,
	peculiar: func(*config.Provider) (asker, error) { return connect, nil },
}

func checkTCP(p *config.Provider) error {
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.Scheme == "tcp" && u.Port() == "" {
		return &config.SettingError{Setting: "base_url", Problem: "the port is missing", Fix: `base_url = "tcp://127.0.0.1:6379"`}
	}
	return nil
}

// connect is the whole probe: the connection is closed at once.
func connect(ctx context.Context, r *run) finding {
	began := r.p.now()
	d := r.p.dialer
	c := d.Take()
	if c == nil {
		var err error
		if c, err = d.Dial(ctx, r.trace, d.Network, d.Address); err != nil {
			return r.failure(err)
		}
	}
	r.trace.Ready(nil)
	r.latency = r.p.now().Sub(began)
	if err := c.Close(); err != nil {
		return finding{saw: provider.ProbeFailed, detail: fmt.Sprintf("close the connection: %v", err)}
	}
	return finding{saw: provider.OK}
}
