// Package daemon is providerd itself: it owns the configuration, the store, the
// scheduler and the control socket, starts them in order and stops them in the
// reverse order. This package only connects them.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/feed"
	"github.com/providerd/providerd/daemon/fleet"
	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/logging"
	"github.com/providerd/providerd/daemon/metrics"
	"github.com/providerd/providerd/daemon/notify"
	"github.com/providerd/providerd/daemon/portwatch"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/daemon/systemd"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/underway"
)

// Options of a Daemon. Socket, StateDir and LogLevel override the file unless they are
// empty.
type Options struct {
	Version    string
	ConfigPath string // empty: the default path, which need not exist
	Socket     string
	StateDir   string
	Insecure   []string // more folders that everybody may write
	LogLevel   string
	LogJSON    bool
	LogTo      io.Writer
	LogJournal bool // LogTo is the journal, and each line begins with its priority
	Env        config.Env
	Service    systemd.Given // what the service manager passed on; zero: there is none
	// Reload makes the daemon read the configuration again; nil: never.
	Reload <-chan os.Signal
	// FirstSweep is called once, when every provider has been probed.
	FirstSweep func(provider.StatusReply)
}

// Daemon is a running providerd.
type Daemon struct {
	opts     Options
	log      *logging.Logger
	started  time.Time
	socket   atomic.Pointer[string] // where clients find us
	stateDir string
	insecure []string // folders that everybody may write, as they were at the start

	config    atomic.Pointer[config.Config]
	reloading sync.Mutex
	store     *store.Store
	schedule  *schedule.Scheduler
	ports     *portwatch.Watch
	feeds     *feed.Poller
	notify    *notify.Engine
	fleet     *fleet.Engine
	control   *control.Server
	metrics   *metrics.Metrics
	discovery discovery
	notifier  *systemd.Notifier // nil: no service manager listens

	health   *health.Health
	disk     underway.Work // what waits for a disk, outside the store
	loads    underway.Work // reads of the configuration, part of disk
	writes   underway.Work // writes beside the database, part of disk
	reserve  *scarce.Reserve
	shortage scarce.Shortage
	lost     atomic.Pointer[string] // why clients do not find the socket; nil: they do
	up       atomic.Bool            // the start is over
	ending   time.Time              // when the end began; zero: not yet

	inherited     *socket.Listener // made by the service manager; nil: the daemon makes its own
	refusedReload atomic.Bool      // the last reload was refused
	loaded        atomic.Int64     // when the configuration was read, in nanoseconds since 1970
	metricsListen string           // its value at the start
}

// Run starts a daemon and serves until ctx ends. The error is nil after an orderly
// shutdown; otherwise it says who or what prevented it. Run returns at most three seconds
// after the end of ctx. Operations that still hang are abandoned then, and the program
// should exit.
func Run(ctx context.Context, o Options) error {
	d := &Daemon{
		opts: o, started: time.Now(), notifier: systemd.NewNotifier(o.Service.Notify),
		log: logging.New(o.LogTo, o.LogJSON, o.LogJournal, hclog.LevelFromString(cmp.Or(o.LogLevel, "info"))),
	}
	d.loads = underway.Work{Most: 2, Also: &d.disk}
	d.writes = underway.Work{Most: 1, Also: &d.disk}
	ended := make(chan error, 1)
	go func() { ended <- d.live(ctx) }()
	err := d.awaitEnd(ctx, ended)
	if err != nil {
		_ = d.notifier.Stopping(err.Error()) // the caller reports it too
	}
	d.log.Close()
	return err
}

// live runs the daemon from start to shutdown.
func (d *Daemon) live(ctx context.Context) error {
	defer closeAll(d.opts.Service.Sockets)
	end := d.disk.Begin("reading the configuration")
	cfg, err := d.opts.Load()
	end()
	if err != nil {
		return err
	}
	d.log.SetLevel(hclog.LevelFromString(cfg.Daemon.LogLevel))
	d.socket.Store(&cfg.Daemon.Socket)
	d.stateDir, d.insecure, d.metricsListen = cfg.Daemon.StateDir, cfg.Daemon.InsecureFolders, cfg.Daemon.MetricsListen
	d.config.Store(cfg)
	d.loaded.Store(time.Now().UnixNano())
	d.warn(cfg)
	d.warnOfInsecure()
	if err := d.inherit(); err != nil {
		return err
	}
	if d.inherited != nil {
		defer d.inherited.Close() // a second close if it was served
	} else if spare := d.spareSocket(); spare != "" {
		d.moveTo(spare)
	}

	end = d.disk.Begin("opening " + d.database())
	d.store, err = store.Open(d.database(), store.Options{
		Log: d.log.Named("store"), Owner: store.Owner{PID: os.Getpid(), Socket: d.socketPath()},
		Insecure: d.insecure,
		Twin:     d.socketPath() + ".mark", // the socket's folder is in memory
	})
	end()
	if err != nil {
		return err
	}
	err = d.serve(ctx, cfg)
	if closeErr := d.store.CloseWithin(d.timeToClose()); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close %s: %w", d.database(), closeErr))
	}
	if err == nil {
		d.log.Info("stopped")
	}
	return err
}

// serve runs everything above the store until ctx ends.
func (d *Daemon) serve(ctx context.Context, cfg *config.Config) error {
	agent := "providerd/" + d.opts.Version
	processes, common := new(listener.Processes), new(probe.Common)
	shares := scarce.Deal(scarce.Limit())
	d.reserve = scarce.NewReserve(shares)
	defer d.reserve.Close()
	d.schedule = schedule.New(schedule.Options{
		Store: d.store, Log: d.log.Named("schedule"), Online: new(network).isOnline, Asleep: asleep,
		Lane: shares.AtOnce, Kept: shares.Kept, Fleet: toFleet{d},
		NewProber: func(p *config.Provider) (schedule.Prober, error) {
			return probe.New(p, probe.Options{
				UserAgent: agent, Common: common, Processes: processes, Files: &d.disk,
				Scarce: func(err error) { d.shortage.Met("a probe of "+p.ID, err) },
			})
		},
	})
	d.fleet = d.newFleet()
	d.ports = portwatch.New(portwatch.Options{
		Log: d.log.Named("portwatch"), Closed: d.schedule.Closed, Missed: d.schedule.ClosedAny,
	})
	d.health = d.checks()
	d.feeds = feed.New(feed.Options{
		Log: d.log.Named("feed"), UserAgent: agent,
		Tell: func(id string, n feed.News) {
			if n.Early {
				d.schedule.NoteFeed(id, &n.Step)
			} else {
				d.schedule.ApplyVendorStatus(id, n.Reading.Incident, &n.Step)
			}
		},
	})
	d.notify = notify.New(notify.Options{Log: d.log.Named("notify"), Store: d.store})
	changes, err := d.apply(cfg)
	if err != nil {
		return err
	}
	d.control = control.New(control.Options{
		Notifier: d.notify,
		Store:    d.store, Providers: d.schedule, Daemon: d, Log: d.log.Named("control"),
		Lines: d.log.Ring, Admin: d.adminGroup(cfg), Shared: d.opts.Env.ForSystem(),
		Metrics: func() (io.WriterTo, error) { return d.metrics.Scrape() },
		Health:  d.healthReport, Reserve: d.reserve, Shortage: &d.shortage, Fleet: d.fleet,
	})
	d.control.SetSlots(slotLimits(d.schedule.Providers()))
	d.metrics = metrics.New(metrics.Sources{
		Version: d.opts.Version, Store: d.store, Schedule: d.schedule, Control: d.control, Health: d.health.Report,
		Sinks: func() []provider.NotifySink { return d.notify.List().Sinks },
		Fleet: d.fleet.Fleet,
	})
	listener, scrapes, err := d.listenForAll()
	if err != nil {
		return err
	}
	d.up.Store(true)
	d.log.Info("started", "version", d.opts.Version, "socket", d.socketPath(), "database", d.database(),
		"config", cfg.Path, "providers", len(changes.Added))
	d.warnOfNamespace()
	return d.run(ctx, listener, scrapes)
}

// listenForAll opens the control socket, and the port for scrapes if one is configured.
func (d *Daemon) listenForAll() (l *socket.Listener, scrapes net.Listener, err error) {
	if scrapes, err = d.listenForScrapes(); err != nil {
		return nil, nil, err
	}
	if l, err = d.listen(); err == nil {
		if err = d.reserve.Refill(); err == nil {
			return l, scrapes, nil
		}
		l.Close()
		err = provider.WithHint(fmt.Sprintf("serve the control socket: no files left for clients: %v", err), scarce.Cure(err))
	}
	if scrapes != nil {
		scrapes.Close()
	}
	return nil, nil, err
}

// listenForScrapes opens the port for /metrics; nil if none is configured.
func (d *Daemon) listenForScrapes() (net.Listener, error) {
	if d.metricsListen == "" {
		return nil, nil
	}
	l, err := metrics.Listen(d.metricsListen, &d.shortage)
	if err != nil {
		return nil, err
	}
	d.log.Info("serving metrics", "url", "http://"+l.Addr().String()+"/metrics")
	return l, nil
}

// run probes, serves and reloads. Then it shuts down: probes are cancelled, streams get
// their last line, and the listener closes.
func (d *Daemon) run(ctx context.Context, l *socket.Listener, scrapes net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { d.schedule.Run(ctx) })
	wg.Go(func() { d.ports.Run(ctx) })
	wg.Go(func() { d.health.Watch(ctx) })
	wg.Go(func() { d.feeds.Run(ctx) })
	wg.Go(func() { d.notify.Run(ctx) })
	wg.Go(func() { d.fleet.Run(ctx) })
	wg.Go(func() { d.tellAfterSweep(ctx) })
	wg.Go(func() { d.reloadOnSignal(ctx) })
	wg.Go(func() { d.reportFirstSweep(ctx) })
	if scrapes != nil {
		wg.Go(func() {
			if err := d.metrics.Serve(ctx, scrapes, d.log.Named("metrics")); err != nil {
				d.log.Error("stopped serving metrics", "error", err)
			}
		})
	}
	if d.notifier != nil {
		wg.Go(func() { d.notifyManager(ctx) })
	}
	served, kept := make(chan error, 1), make(chan error, 1)
	wg.Go(func() { served <- d.control.Serve(context.WithoutCancel(ctx), l) })
	wg.Go(func() { kept <- d.keepSocket(ctx, l) })

	var err error
	select {
	case err = <-served:
		served <- err
	case err = <-kept:
	case <-d.store.Usurped(): // its Close reports by whom
	case <-ctx.Done():
	}
	cancel()
	return cmp.Or(err, d.end(served, &wg))
}

// reloadOnSignal reloads on each signal. Failures are logged where they occur.
func (d *Daemon) reloadOnSignal(ctx context.Context) {
	for {
		select {
		case <-d.opts.Reload:
			_, _ = d.Reload(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// reportFirstSweep reports that every provider's first result can be read.
func (d *Daemon) reportFirstSweep(ctx context.Context) {
	if d.opts.FirstSweep != nil && d.firstSweep(ctx) {
		// Nothing waits for it: it writes to a terminal, which may be stopped.
		go d.opts.FirstSweep(d.status())
	}
}

// firstSweep waits until every provider's first result can be read. It reports false if ctx
// ends first.
func (d *Daemon) firstSweep(ctx context.Context) bool {
	select {
	case <-d.schedule.Swept():
	case <-ctx.Done():
		return false
	}
	for _, st := range d.status().Providers {
		for {
			changed := d.store.Changed(st.ID)
			row := d.store.View().Row(st.ID)
			if row == nil || answered(&row.Status) {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return false
			}
		}
	}
	return true
}

// answered reports whether a row shows what the first sweep found, or belongs to a
// provider that the sweep skipped.
func answered(st *provider.Status) bool {
	return !st.CheckedAt.IsZero() && st.Source != provider.FromRestored ||
		st.Paused || st.RetryAt.After(time.Now())
}

// status is the current status of all rows.
func (d *Daemon) status() provider.StatusReply {
	view, now := d.store.View(), time.Now()
	reply := provider.StatusReply{TS: provider.Time{Time: now}, Seq: view.Seq()}
	for i := range view.Len() {
		reply.Providers = append(reply.Providers, view.At(i).Current(now))
	}
	return reply
}

// database is the path of the store's file.
func (d *Daemon) database() string { return filepath.Join(d.stateDir, "providerd.db") }
