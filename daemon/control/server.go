package control

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/logging"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Providers is the part of the daemon that probes. No method waits for a probe.
type Providers interface {
	// Refresh asks for a probe of each of the ids, or of all if ids is nil.
	Refresh(ids []string, force bool) schedule.Accepted
	// Diagnose is a refresh of one provider whose probe makes a new connection.
	Diagnose(id string, force bool) schedule.Accepted
	// Ensure asks for a probe of each of the ids, or of all if ids is nil, whose last
	// probe began longer than maxAge ago.
	Ensure(ids []string, maxAge time.Duration)
	// SetPaused stops or resumes probing; the row's paused follows.
	SetPaused(id string, paused bool) error
	// Report records what a caller met; by says who. Its changes are in the store before it
	// returns. The error is a [*provider.Error].
	Report(id string, r provider.Report, by string) error
	// Hear is Report for a user who is not an administrator. It asks for a probe, and the
	// report is believed for a short time.
	Hear(id string, r provider.Report, by string) error
	// Act notes what a user asks systemd to do with a provider's unit; by says who. The error
	// is a [*provider.Error].
	Act(id string, note provider.ActionNote, by string, admin bool) error
	// Counters fills in the counters of probes and refreshes.
	Counters(*provider.Counters)
	// Watch is since when the providers have been watched, and when they were not.
	Watch() outage.Watch
}

// Daemon is the process around the socket.
type Daemon interface {
	// Info fills in what only the process knows: version, pid, paths, start, level.
	Info() provider.DaemonInfo
	// Configuration is the configuration in force, without secrets; admins is the group
	// whose members are administrators.
	Configuration(admins string) provider.ConfigReply
	// Reload returns a [*provider.Error] with code ConfigInvalid and changes nothing if the
	// configuration is invalid.
	Reload(ctx context.Context) (provider.ReloadReply, error)
	// Discover finds the local kinds that answer at their default addresses. It takes at
	// most two seconds, and concurrent callers share it.
	Discover(ctx context.Context) (provider.DiscoverReply, error)
	// SetLogLevel is only called with trace, debug, info, warn, error or off.
	SetLogLevel(level string) error
}

// A Notifier tells people what happens to providers. Its errors are [*provider.Error]s if the
// caller is at fault. Only what has a context waits.
type Notifier interface {
	List() provider.NotifyReply
	Test(ctx context.Context, sink string) error
	Retry(sink string, messages []string) (n int, err error)
	Drop(sink string, messages []string) (n int, err error)
	// Maintenance is what lasts now; it is not changed.
	Maintenance() []provider.Maintenance
	Maintain(ctx context.Context, ids []string, until time.Time, by string) error
	EndMaintenance(ctx context.Context, ids []string) (ended []string, err error)
}

// A Group is a group of users of this machine.
type Group struct {
	Name string
	GID  uint32
}

// Options of [New]. Store, Providers and Daemon are required; the zero value of every other
// field is a sensible default.
type Options struct {
	Store     *store.Store
	Providers Providers
	Daemon    Daemon
	Notifier  Notifier      // for the routes of notifications and maintenance
	Fleet     Fleet         // the machines that share probes with this one; nil: none
	Log       hclog.Logger  // nil: nothing is logged
	Lines     *logging.Ring // what GET /api/daemon/log shows; nil: no lines
	Admin     *Group        // may change the daemon, like root and its own user; nil: nobody else
	// Shared means that everybody can connect. If the system cannot identify them, nobody
	// may change the daemon then.
	Shared bool
	// Metrics writes the answer to GET /metrics, in the Prometheus text format; nil:
	// nothing. The reader may be slow, so it should hold no lock meanwhile.
	Metrics func() (io.WriterTo, error)
	// Health is the answer to GET /healthz; it does not wait. nil: always healthy.
	Health func() provider.Health

	// Reserve has files for clients when none are left, and Shortage records that. Either
	// may be nil.
	Reserve  *scarce.Reserve
	Shortage *scarce.Shortage

	MaxConns          int           // open at once; 0: 4096, or what the limit on open files allows
	MaxConnsPerUser   int           // those by one user who is neither root nor the daemon's; 0: see connsPerUser
	ReadHeaderTimeout time.Duration // for a request to arrive completely; 0: 5 s
	IdleTimeout       time.Duration // between requests; 0: 2 min
	ReplyTimeout      time.Duration // for a plain reply to be read; 0: 10 s
	SlowAfter         time.Duration // after this time a stream's reader that reads nothing is disconnected; 0: 10 s
	Heartbeat         time.Duration // between the heartbeats of an idle stream; 0: 15 s
}

// SetAdmin changes who may change the daemon from now on; see [Options].Admin.
func (s *Server) SetAdmin(g *Group) { s.admin.Store(g) }

// maxHeaderBytes is more than daemon/framing lets through, including what follows the head
// in net/http's buffer.
const maxHeaderBytes = 20 << 10

// A Server answers on the control socket.
type Server struct {
	store     *store.Store
	providers Providers
	daemon    Daemon
	notifier  Notifier
	fleetOf   Fleet
	log       hclog.Logger
	lines     *logging.Ring
	metrics   func() (io.WriterTo, error)
	healthOf  func() provider.Health
	owner     uint32                // the daemon's own user
	admin     atomic.Pointer[Group] // see SetAdmin
	shared    bool                  // everybody can connect

	replyTimeout time.Duration
	bodyTimeout  time.Duration
	slowAfter    time.Duration
	heartbeat    time.Duration

	began      time.Time // see ticks
	http       http.Server
	gate       gate
	reserve    *scarce.Reserve
	shortage   *scarce.Shortage
	refreshLog ration
	reportLog  ration
	actionLog  ration
	reporters  pace
	sweeps     turns // replies of GET /api/history
	slots      slotQueues
	buffers    sync.Pool
	served     atomic.Bool     // Serve was called
	others     listeners       // see Also
	stopOnce   sync.Once       // closes stopping
	stopping   chan struct{}   // closed when Shutdown begins
	replying   inFlightCounter // requests whose reply is not completely written
	conns      inFlightCounter // connections that net/http serves

	requests atomic.Uint64
	denied   atomic.Uint64
	streams  atomic.Int64
	codes    codes // of replies that began
}

// New makes a server; [Server.Serve] starts it.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Lines == nil {
		o.Lines = logging.NewRing(hclog.Off)
	}
	if o.Metrics == nil {
		o.Metrics = func() (io.WriterTo, error) { return new(bytes.Buffer), nil }
	}
	if o.Health == nil {
		o.Health = func() provider.Health { return provider.Health{Status: "ok"} }
	}
	owner := uint32(os.Geteuid())
	maxConns := cmp.Or(o.MaxConns, scarce.Deal(scarce.Limit()).Conns)
	s := &Server{
		began:        time.Now(),
		store:        o.Store,
		providers:    o.Providers,
		daemon:       o.Daemon,
		notifier:     o.Notifier,
		fleetOf:      o.Fleet,
		log:          o.Log,
		lines:        o.Lines,
		metrics:      o.Metrics,
		healthOf:     o.Health,
		owner:        owner,
		shared:       o.Shared,
		replyTimeout: cmp.Or(o.ReplyTimeout, 10*time.Second),
		bodyTimeout:  cmp.Or(o.ReadHeaderTimeout, 5*time.Second),
		slowAfter:    cmp.Or(o.SlowAfter, 10*time.Second),
		heartbeat:    cmp.Or(o.Heartbeat, 15*time.Second),
		gate:         newGate(maxConns, cmp.Or(o.MaxConnsPerUser, connsPerUser(maxConns)), owner),
		reserve:      o.Reserve,
		shortage:     o.Shortage,
		refreshLog:   ration{said: make(map[string]saying)},
		reportLog:    ration{said: make(map[string]saying)},
		actionLog:    ration{said: make(map[string]saying)},
		stopping:     make(chan struct{}),
	}
	s.admin.Store(o.Admin)
	s.buffers.New = func() any { return new([]byte) }
	s.http = http.Server{
		Handler:                      http.HandlerFunc(s.answer),
		MaxHeaderBytes:               maxHeaderBytes,
		ReadHeaderTimeout:            cmp.Or(o.ReadHeaderTimeout, 5*time.Second),
		IdleTimeout:                  cmp.Or(o.IdleTimeout, 2*time.Minute),
		WriteTimeout:                 s.replyTimeout,
		DisableGeneralOptionsHandler: true,
		ConnContext:                  connContext,
		ConnState:                    s.connState,
		ErrorLog:                     o.Log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	return s
}

// Serve answers requests from l until [Server.Shutdown], and then returns nil. If ctx ends
// first, every connection is closed at once and Serve returns its error. In both cases l is
// closed and every goroutine of the server has ended when Serve returns. A server serves
// once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.served.Swap(true) {
		l.Close()
		return errors.New("serve the control socket: already served")
	}
	ctx, cancel := context.WithCancel(ctx)
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		<-ctx.Done()
		s.http.Close()
	}()

	err := s.http.Serve(s.acceptor(l))
	why := ctx.Err()
	if !errors.Is(err, http.ErrServerClosed) {
		s.http.Close()
		err = fmt.Errorf("serve the control socket: %w", err)
	} else {
		err = why
	}
	// After a shutdown the connections are closed, or about to be: Shutdown
	// decides how long they may take.
	<-s.conns.drained()
	cancel()
	<-cut
	s.others.wait()
	return err
}

// Also answers requests from l in addition to the listener of [Server.Serve], until that
// ends or l is closed.
func (s *Server) Also(l net.Listener) {
	s.others.add(func() {
		err := s.http.Serve(s.acceptor(l)) // which closes l
		if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Error("additional listener of the control socket failed", "error", err)
		}
	}, func() { l.Close() })
}

// listeners are the ones in addition to the first.
type listeners struct {
	mu   sync.Mutex
	wg   sync.WaitGroup
	over bool
}

// add serves one, or calls refused if the server has ended.
func (ls *listeners) add(serve, refused func()) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.over {
		refused()
		return
	}
	ls.wg.Go(serve)
}

// wait waits until all have ended, and lets no more begin.
func (ls *listeners) wait() {
	ls.mu.Lock()
	ls.over = true
	ls.mu.Unlock()
	ls.wg.Wait()
}

// Shutdown ends the streams with a last line, ends waits with the rows as they are, lets
// the other requests finish, and then closes the listener and the connections. If ctx ends
// first, the remaining requests are aborted and its error is returned. New requests are
// answered with shutting_down meanwhile.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopOnce.Do(func() { close(s.stopping) })
	// http.Server.Shutdown is not used: it waits up to five seconds for a
	// connection that never sent anything, and it polls.
	var err error
	select {
	case <-s.replying.drained():
	case <-ctx.Done():
		err = fmt.Errorf("shut down the control socket: %d requests aborted: %w", s.replying.count(), ctx.Err())
	}
	if closeErr := s.http.Close(); closeErr != nil && err == nil {
		err = fmt.Errorf("shut down the control socket: %w", closeErr)
	}
	select {
	case <-s.conns.drained():
	case <-ctx.Done():
	}
	return err
}

// connState follows a connection from request to request. It runs on the
// goroutine that serves the connection.
func (s *Server) connState(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.add(1)
	case http.StateIdle:
		s.replied(nc.(*conn))
		nc.(*conn).EndReply()
	case http.StateClosed:
		s.replied(nc.(*conn))
		s.conns.add(-1)
	}
}

// replied notes that the reply on c, if one was in progress, is completely written.
func (s *Server) replied(c *conn) {
	if c.replying.Load() {
		c.since.Store(s.ticks())
		c.replying.Store(false)
		c.freeSlot()
		s.replying.add(-1)
	}
}

// ticks is a monotonic clock, in nanoseconds.
func (s *Server) ticks() int64 { return int64(time.Since(s.began)) }

// isStopping reports whether Shutdown has begun.
func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}
