package mcp

import (
	"context"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

const (
	statusURI = "providerd://status"

	// gather is how long events are gathered before subscribers are notified, and lull the
	// time between two notifications.
	gather = 50 * time.Millisecond
	lull   = time.Second

	// retryPause is the time between attempts to follow the events while the daemon is away.
	retryPause = 500 * time.Millisecond
)

func (s *server) addResource(srv *mcp.Server) {
	srv.AddResource(&mcp.Resource{
		URI: statusURI, Name: "status", Title: "Status of model providers", MIMEType: "application/json",
		Description: "Which model providers can be used now, and why the others cannot. Subscribe to learn of changes.",
	}, s.readStatus)
}

// readStatus returns the status of all providers, or why it is not known.
func (s *server) readStatus(ctx context.Context, _ *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	var text string
	status, err := s.status(ctx, statusInput{})
	if err != nil {
		f := s.failure(err)
		text = asJSON(map[string]any{"error": f.message, "hint": f.hint, "retry_in_seconds": f.retry})
	} else {
		text = asJSON(status)
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: statusURI, MIMEType: "application/json", Text: text}}}, nil
}

func (s *server) subscribe(_ context.Context, req *mcp.SubscribeRequest) error {
	if req.Params.URI != statusURI {
		return mcp.ResourceNotFoundError(req.Params.URI)
	}
	s.watch.start()
	return nil
}

func (s *server) unsubscribe(_ context.Context, req *mcp.UnsubscribeRequest) error {
	if req.Params.URI == statusURI {
		s.watch.stop()
	}
	return nil
}

// A watch follows the daemon's events while a client is subscribed, and notifies it.
type watch struct {
	ctx    context.Context
	client *client.Client
	notify func()

	mu     sync.Mutex
	cancel context.CancelFunc // nil while nobody is subscribed
}

func newWatch(ctx context.Context, c *client.Client) *watch { return &watch{ctx: ctx, client: c} }

func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		return
	}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(w.ctx)
	changed := make(chan struct{}, 1)
	go w.follow(ctx, changed)
	go w.tell(ctx, changed)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
		w.cancel = nil
	}
}

// follow signals each event, and each time that the daemon goes away or comes back.
func (w *watch) follow(ctx context.Context, changed chan<- struct{}) {
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for away := false; ctx.Err() == nil; {
		if daemon, err := w.client.Daemon(ctx); err == nil {
			if away {
				away = false
				signal()
			}
			w.events(ctx, daemon, signal)
		}
		if !away {
			away = true
			signal()
		}
		_ = sleep(ctx, retryPause) // the loop notices that ctx ended
	}
}

// events signals each event until the stream ends. A reload that adds or removes providers
// need not cause any, so each heartbeat of the stream is a time to look for one.
func (w *watch) events(ctx context.Context, daemon *provider.DaemonInfo, signal func()) {
	loaded := loadedAt(daemon)
	note := func(n provider.StreamNote) {
		if n.Type != provider.NoteHeartbeat {
			return
		}
		if now, err := w.client.Daemon(ctx); err == nil && !loadedAt(now).Equal(loaded) {
			loaded = loadedAt(now)
			signal()
		}
	}
	for _, err := range w.client.Events(ctx, client.EventsQuery{Since: &daemon.Seq, Follow: true, Note: note}) {
		if err != nil {
			return
		}
		signal()
	}
}

// loadedAt is when the daemon read its configuration.
func loadedAt(d *provider.DaemonInfo) time.Time {
	if d.Setup == nil {
		return time.Time{}
	}
	return d.Setup.Config.LoadedAt.Time
}

// tell notifies the client of changes, not too often.
func (w *watch) tell(ctx context.Context, changed <-chan struct{}) {
	for {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		if sleep(ctx, gather) != nil {
			return
		}
		select { // what came meanwhile is told, too
		case <-changed:
		default:
		}
		w.notify()
		if sleep(ctx, lull) != nil {
			return
		}
	}
}
