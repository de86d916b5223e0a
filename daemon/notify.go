package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/notify"
	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/daemon/notify/sink"
)

// applyNotify passes the sinks and the maintenance of a configuration to the engine. It cannot
// fail: a sink that cannot be used now is a fault of that sink alone.
func (d *Daemon) applyNotify(cfg *config.Config) {
	var planned func(id string, now time.Time) time.Time
	if len(cfg.Maintenance) > 0 {
		planned = cfg.InMaintenance
	}
	d.notify.Plan(planned)
	d.notify.Apply(d.outlets(cfg))
}

// outlets makes a sink of each [[notify]].
func (d *Daemon) outlets(cfg *config.Config) []notify.Outlet {
	if len(cfg.Notify) == 0 {
		return nil
	}
	host, _ := os.Hostname() // a message without it is still a message
	var outlets []notify.Outlet
	for i := range cfg.Notify {
		n := &cfg.Notify[i]
		o := notify.Outlet{
			Kind: n.Kind,
			Way:  fmt.Sprintf("%q", append([]string{n.Kind, n.URL, n.URLFile, n.TokenFile, n.SecretFile}, n.Command...)),
			Settings: book.Settings{
				Sink: n.ID, Host: host, On: n.On, After: n.After, Gather: n.Gather, Most: cmp.Or(n.Most, config.DefaultMost),
			},
		}
		if len(n.Providers) > 0 {
			o.Settings.Wants = n.Providers.Match
		}
		if !n.Quiet.IsZero() {
			o.Settings.Quiet = n.Quiet.Until
		}
		o.Sink, o.Fault = d.newSink(n)
		outlets = append(outlets, o)
	}
	return outlets
}

// newSink makes the sink of a [[notify]]. It waits only so long for files with credentials.
func (d *Daemon) newSink(n *config.Notify) (sink.Sink, error) {
	var made sink.Sink
	err := d.loads.Within(loadWithin, "reading the credentials of [[notify]] "+n.ID, func() (err error) {
		made, err = sink.New(*n, sink.Options{
			Log: d.log.Named("notify"), Env: d.opts.Env, UserAgent: "providerd/" + d.opts.Version, Files: &d.disk,
		})
		return err
	})
	if err != nil {
		return nil, err // after a hang made may still change
	}
	return made, nil
}

// tellAfterSweep tells the engine that the rows hold, if it waits for that.
func (d *Daemon) tellAfterSweep(ctx context.Context) {
	if d.notify.Unsettled() && d.firstSweep(ctx) {
		d.notify.Swept()
	}
}
