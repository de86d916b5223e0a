package service

import (
	"context"
	"fmt"

	"github.com/kardianos/service"
)

// UnderManager reports whether the service control manager started this process, which then
// must use [Run].
func UnderManager() bool { return !service.Interactive() }

// Run runs the daemon under the service control manager until that stops it. If the daemon
// ends by itself, the process exits without reporting to the manager, which takes that for a
// failure and starts it again; kardianos/service would wait for commands for ever.
func Run(daemon func(context.Context) error, exit func(code int)) error {
	p := &program{daemon: daemon, exit: exit, ended: make(chan struct{})}
	s, err := service.New(p, &service.Config{Name: "providerd"})
	if err != nil {
		return fmt.Errorf("talk to the service manager: %w", err)
	}
	return s.Run()
}

// A program is what kardianos/service starts and stops.
type program struct {
	daemon func(context.Context) error
	exit   func(int)
	stop   context.CancelFunc
	ended  chan struct{}
	err    error // set before ended is closed
}

// Start starts the daemon and returns.
func (p *program) Start(s service.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() {
		defer close(p.ended)
		p.err = p.daemon(ctx)
		if ctx.Err() != nil {
			return // it was asked to
		}
		if log, err := s.SystemLogger(nil); err == nil {
			_ = log.Errorf("providerd ended: %v", p.err) // nothing but the event log is left
		}
		p.exit(1)
	}()
	return nil
}

// Stop ends the daemon and waits for it.
func (p *program) Stop(service.Service) error {
	p.stop()
	<-p.ended
	return p.err
}
