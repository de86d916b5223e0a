package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/daemon/systemd"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/underway"
)

const (
	// readyRetry is the pause between reads of our own socket until one succeeds.
	readyRetry = 100 * time.Millisecond
	// statusEvery is the least time between two status messages.
	statusEvery = time.Second
	// healthEvery is how often our own health is checked, which causes no event.
	healthEvery = 5 * time.Second
	// besideWithin is how long a write beside a hanging database may take.
	besideWithin = 2 * time.Second
)

// inherit takes over the socket that the service manager made, if any.
func (d *Daemon) inherit() error {
	given := d.opts.Service
	if given.Problem != nil {
		d.log.Warn("unrecognised service manager environment", "error", given.Problem)
	}
	switch len(given.Sockets) {
	case 0:
		return nil
	case 1:
	default:
		return provider.WithHint(
			fmt.Sprintf("the service manager passed on %d sockets, but only one is served", len(given.Sockets)),
			"leave one ListenStream= in the socket unit, then: systemctl daemon-reload",
		)
	}
	l, err := socket.Inherit(given.Sockets[0])
	if err != nil {
		return err
	}
	path := l.Path()
	d.inherited = l
	d.socket.Store(&path)
	return nil
}

// listen returns the inherited socket, or makes one.
func (d *Daemon) listen() (*socket.Listener, error) {
	if d.inherited != nil {
		return d.inherited, nil
	}
	l, err := socket.Listen(d.socketPath(), d.socketMode(), d.insecure...)
	return l, d.notAnothers(err)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // a second close if it was taken over
	}
}

// notifyManager notifies the service manager that the daemon is ready, once the socket has
// answered, and from then on of its status and that it is alive.
func (d *Daemon) notifyManager(ctx context.Context) {
	for {
		err := d.readSelf(ctx)
		if err == nil {
			err = d.notifier.Ready(d.statusLine())
		}
		if err == nil {
			break
		}
		d.log.Debug("not ready yet", "error", err)
		select {
		case <-time.After(readyRetry):
		case <-ctx.Done():
			return
		}
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if d.opts.Service.Watchdog > 0 {
			d.watchdog().Run(ctx)
		}
	}()
	d.notifyStatus(ctx)
	<-watched
}

func (d *Daemon) watchdog() *systemd.Watchdog {
	return &systemd.Watchdog{
		Every: d.opts.Service.Watchdog,
		Read: func(ctx context.Context) error {
			err := d.readSelf(ctx)
			var full *provider.Error
			if errors.As(err, &full) && full.Code == provider.TooMany {
				return nil // clients of our own user use all connections: we are alive, and they would return
			}
			return err
		},
		Commit: d.committed,
		Fed:    d.notifier.Alive,
		Changed: func(err error) {
			if err != nil {
				d.log.Warn("watchdog self-check failed; the service manager will restart providerd if it does not recover", "error", err)
				return
			}
			d.log.Info("watchdog self-check recovered")
		},
	}
}

// committed waits for a commit. A disk that does not answer is no reason to be restarted:
// the database could not be opened then, and readers would lose what memory has. Another
// write beside the database shows whether it is the disk or a fault of ours.
func (d *Daemon) committed(ctx context.Context) error {
	err := d.store.SyncBarrier(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	var hang *underway.HangError
	if beside := d.writes.Within(besideWithin, "writing beside "+d.database(), d.writeBeside); errors.As(beside, &hang) {
		return nil
	}
	return err
}

// writeBeside writes a byte to the disk of the database. Its error does not matter.
func (d *Daemon) writeBeside() error {
	f, err := os.OpenFile(d.database()+".alive", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{'\n'})
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// notifyStatus sends the status each time it has changed, until ctx ends.
func (d *Daemon) notifyStatus(ctx context.Context) {
	health := time.NewTicker(healthEvery)
	defer health.Stop()
	for {
		changed := d.store.NextEvents()
		d.logNotifyError(d.notifier.Status(d.statusLine()))
		select {
		case <-changed:
		case <-health.C:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(statusEvery):
		case <-ctx.Done():
			return
		}
	}
}

// logNotifyError logs that the service manager could not be notified.
func (d *Daemon) logNotifyError(err error) {
	if err != nil {
		d.log.Debug("could not notify the service manager", "error", err)
	}
}

// statusLine is the daemon's status in one line: "5 providers: 2 running, 3 stopped".
func (d *Daemon) statusLine() string {
	view := d.store.View()
	counts := make(map[provider.State]int)
	for i := range view.Len() {
		counts[view.At(i).Status.State]++
	}
	var parts []string
	for _, state := range []provider.State{
		provider.StateRunning, provider.StateStarting, provider.StateDegraded,
		provider.StateError, provider.StateStopped, provider.StateUnknown,
	} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(string(state))))
		}
	}
	line := "no providers"
	switch n := view.Len(); {
	case n == 1:
		line = "1 provider: " + parts[0]
	case n > 1:
		line = fmt.Sprintf("%d providers: %s", n, strings.Join(parts, ", "))
	}
	if d.refusedReload.Load() {
		line += "; the last reload was refused, configuration unchanged (see: providerctl reload)"
	}
	for _, problem := range d.health.Problems() {
		if why, ok := strings.CutPrefix(problem, "store: "); ok {
			problem = "the database cannot be written: " + why
		}
		line += "; " + problem
	}
	return line
}

// readSelf reads through the socket as a client does, over a new connection. It borrows a
// file if none is left.
func (d *Daemon) readSelf(ctx context.Context) (err error) {
	d.reserve.Lend(1, func() { err = d.read(ctx) })
	return err
}

func (d *Daemon) read(ctx context.Context) error {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socketPath())
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/providers/status", nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		_, err := io.Copy(io.Discard, res.Body)
		return err
	}
	var reply provider.ErrorReply
	if err := json.NewDecoder(res.Body).Decode(&reply); err == nil && reply.Error != nil {
		return reply.Error
	}
	return fmt.Errorf("unexpected answer: %s", res.Status)
}
