// Package examine gathers what package doctor judges: from the daemon as far as it
// answers, and from this machine. Nothing here decides anything, nothing changes anything,
// and everything is bounded, because what is to be found out is often why something hangs.
package examine

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// patience is how long one answer may take, whoever gives it.
const patience = 3 * time.Second

// A runner runs a program of this machine.
type runner func(ctx context.Context, name string, args ...string) (stdout, stderr string, code int, err error)

// A Scene is where to look.
type Scene struct {
	Client  *client.Client // is changed: it waits less
	Getenv  func(string) string
	Version string // of this program
	Now     func() time.Time

	run      runner        // nil: run
	patience time.Duration // with the daemon; 0: patience
}

// Facts gathers them all. It takes a few seconds at most.
func (s *Scene) Facts(ctx context.Context) *doctor.Facts {
	if s.run == nil {
		s.run = run
	}
	s.Client.Timeout, s.Client.DialPatience = cmp.Or(s.patience, patience), -1
	f := &doctor.Facts{
		Now: s.Now(), OS: runtime.GOOS, Mine: s.Version,
		Me:      doctor.Me{UID: os.Getuid(), Root: os.Geteuid() == 0},
		Proxies: provider.ProxiesOf(s.Getenv),
	}
	f.Places = s.places()
	s.ask(ctx, f)
	var wg sync.WaitGroup
	wg.Go(func() {
		f.Processes, _ = within(func() ([]doctor.Process, error) { return processes(), nil }) // one that hangs keeps its command line
	})
	wg.Go(func() { f.Units = s.units(ctx) })
	wg.Go(func() { f.Clock = clockOf() })
	wg.Go(func() { f.Beside = s.beside(ctx) })
	wg.Wait()
	if f.Units == nil {
		f.Units = s.service(ctx, f.Beside)
	}
	f.Group, f.KeysSet = groupOf(f), s.keysSet(f)
	f.File = s.file(ctx, f)
	f.Disk = diskOf(s.stateFolder(f))
	if f.Info == nil && !f.File.System {
		f.Disk.Refused = refused(f.Disk.Folder)
	}
	return f
}

// refused is why a daemon of the caller's would not put its database into a folder.
func refused(folder string) *provider.Error {
	if !filepath.IsAbs(folder) {
		return nil
	}
	_, err := within(func() (none struct{}, err error) { return none, trust.Existing(folder) })
	if part := (*trust.PathError)(nil); errors.As(err, &part) {
		return provider.Errorf(provider.Internal, part.Hint(), "%v", part)
	}
	return nil
}

// places are where a daemon is looked for.
func (s *Scene) places() (all []doctor.Place) {
	for _, l := range s.Client.LookEverywhere() {
		p := doctor.Place{Path: l.Path, Variable: l.Variable, Chosen: l.Chosen, Err: asError(l.Err), Absent: client.MayCome(l.Err), PID: l.PID, Listener: l.UID, UID: -1}
		if info, err := os.Lstat(l.Path); err == nil {
			p.Exists, p.Mode, p.UID = true, info.Mode(), ownerOf(info)
		}
		all = append(all, p)
	}
	return all
}

// ask asks the daemon what it knows. If it does not say what it is, it is not asked for
// more: each question may take its time.
func (s *Scene) ask(ctx context.Context, f *doctor.Facts) {
	info, err := s.Client.Daemon(ctx)
	if f.InfoErr = asError(err); err != nil {
		return
	}
	f.Info = info
	var wg sync.WaitGroup
	wg.Go(func() { f.Health = s.health(ctx) })
	wg.Go(func() { f.Notify, _ = s.Client.Notifications(ctx) }) // an older daemon knows none
	wg.Go(func() {
		if reply, err := s.Client.Fleet(ctx); err == nil && !reply.TS.IsZero() { // an older daemon knows none
			f.Fleet = reply
		}
	})
	wg.Go(func() {
		reply, err := s.Client.Status(ctx, client.StatusQuery{})
		if f.RowsErr = asError(err); err == nil {
			f.Rows = reply.Providers
		}
	})
	wg.Wait()
	f.Ahead = s.ahead(ctx, f.Rows)
}

// ahead asks what the last probes of some cloud providers learned of the clocks there.
func (s *Scene) ahead(ctx context.Context, rows []provider.Status) map[string]time.Duration {
	const enough = 5
	ahead := map[string]time.Duration{}
	for _, row := range rows {
		if row.Type != provider.Cloud || row.CheckedAt.IsZero() || len(ahead) == enough {
			continue
		}
		d, err := s.Client.Diagnostics(ctx, row.ID)
		if err != nil {
			return ahead
		}
		for _, x := range d.Requests {
			if x.Status != 0 {
				ahead[row.ID] = time.Duration(x.ClockAheadMS) * time.Millisecond
				break
			}
		}
	}
	return ahead
}

// asError is an error of the vocabulary; nil for none.
func asError(err error) *provider.Error {
	var e *provider.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return provider.Errorf(provider.Internal, "", "%v", err)
}
