package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/ctl/dashboard/page"
)

// dialPatience is how long a dial of the daemon is retried. After that the page shows that the
// daemon is away, and waits for it.
const dialPatience = 250 * time.Millisecond

// garbagePercent makes collections run earlier, because a reply with all rows is as large as
// the rest of the heap.
const garbagePercent = 50

// New returns a function that builds the command "dashboard", for [ctl.MainBeside].
func New(version string) func(*ctl.Session) *command.Command {
	return func(s *ctl.Session) *command.Command {
		p := &program{session: s, version: version}
		cmd := &command.Command{
			Use:   "dashboard",
			Short: "Show the providers in a browser",
			Long: `Show the providers in a browser: live, with their history and events, and with
buttons to refresh, diagnose, pause and resume. A server that systemd runs can also be
started, stopped and restarted, as you.

The dashboard runs until ctrl-C, and asks the daemon as you. It listens on 127.0.0.1
only, at a path that nobody can guess. On Linux it answers only your processes and
root's. Keep the address to yourself.

The browser is started on a file that opens the address, so that the address is in no
list of processes. The address is printed instead if there is no screen, if no browser
comes within 3 s, and for root: no browser should run as root.

To use it on another machine, give both ends the same port:
  ssh -t -L 8800:127.0.0.1:8800 HOST providerctl dashboard --no-open --port 8800`,
			Example: `  providerctl dashboard
  providerctl dashboard --read-only --for 8h
  providerctl dashboard --no-open --port 8800`,
			Args: ctl.Args(0, 0),
		}
		flags := cmd.Flags()
		flags.Var(&p.port, "port", "listen at this port; 0 means a free one")
		flags.BoolVar(&p.noOpen, "no-open", false, "print the address instead of opening it")
		flags.BoolVar(&p.readOnly, "read-only", false, "show everything and change nothing")
		flags.DurationVar(&p.lifetime, "for", 0, "end after this `duration`; 0 means never")
		cmd.Run = func(*command.Command, []string) error { return p.run() }
		return cmd
	}
}

// A portFlag is the value of --port.
type portFlag int

func (p *portFlag) String() string { return strconv.Itoa(int(*p)) }

// Type is the word for a value in the help.
func (p *portFlag) Type() string { return "port" }

// Set accepts the number of a port.
func (p *portFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return ctl.UsageError("", "use a number from 0 to 65535")
	}
	*p = portFlag(n)
	return nil
}

// program is one run of the command.
type program struct {
	session  *ctl.Session
	version  string
	port     portFlag
	noOpen   bool
	readOnly bool
	lifetime time.Duration
	actions  *page.Actions
}

func (p *program) run() error {
	if p.lifetime < 0 {
		return ctl.UsageError("give a duration such as 8h", "dashboard: --for is negative")
	}
	debug.SetGCPercent(garbagePercent)
	ctx, stop := p.session.Following()
	defer stop()
	if p.lifetime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.lifetime)
		defer cancel()
	}
	p.actions = page.NewActions(p.session.Act)
	defer p.actions.Close()
	server, err := Listen(p.serverOptions())
	if err != nil {
		return err
	}
	return p.serve(ctx, server)
}

func (p *program) serverOptions() ServerOptions {
	daemon := *p.session.Client()
	daemon.DialPatience = dialPatience
	host, _ := os.Hostname()
	return ServerOptions{
		Port:     int(p.port),
		ReadOnly: p.readOnly,
		Client:   &daemon,
		Spell:    p.session.Spell,
		Bug:      func(text string) { p.session.Say("a bug of the dashboard: %s", text) },
		Views: func(base, nonce string) http.Handler {
			return page.New(page.Options{
				Client: &daemon, Base: base, Nonce: nonce, ReadOnly: p.readOnly,
				Host: cmp.Or(host, "this machine"), Version: p.version, Actions: p.actions, Spell: p.session.Spell,
			})
		},
	}
}

// serve answers until ctx ends, and opens the browser meanwhile.
func (p *program) serve(ctx context.Context, server *Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := make(chan error, 1)
	go func() {
		err := p.invite(ctx, server)
		if err != nil { // nobody knows the address
			cancel()
		}
		told <- err
	}()
	err := server.Serve(ctx)
	cancel()
	return errors.Join(err, <-told)
}

// invite opens the dashboard in the person's browser, or prints its address.
func (p *program) invite(ctx context.Context, server *Server) error {
	if p.noOpen {
		return p.print(server)
	}
	system := thisSystem(p.session.Getenv)
	if why := system.noBrowser(); why != "" {
		p.session.Say("%s", why)
		return p.print(server)
	}
	p.session.Say("opening the dashboard in your browser; ctrl-C ends it")
	return p.open(ctx, server, system)
}

// open starts the browser. If no browser connects, it prints the address.
func (p *program) open(ctx context.Context, server *Server, system system) error {
	file, remove, err := system.writeInvitation(server.TicketURL())
	if err != nil {
		p.session.Say("%v: open this address yourself", err)
		return p.print(server)
	}
	defer remove()
	failed := system.start(file)
	select {
	case <-server.Opened():
		return nil
	case err := <-failed:
		p.session.Say("no browser could be started: %v: open this address yourself", err)
	case <-time.After(browserTime):
		p.session.Say("no browser has come yet: if none does, open this address yourself")
	case <-ctx.Done():
		return nil
	}
	if err := p.print(server); err != nil {
		return err
	}
	select { // a slow browser may still come
	case <-server.Opened():
	case <-time.After(fileTime):
	case <-ctx.Done():
	}
	return nil
}

// print writes the address on a line of its own, for people and programs alike.
func (p *program) print(server *Server) error {
	_, err := io.WriteString(p.session.Data(), server.URL()+"\n")
	if err := errors.Join(err, p.session.Flush()); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	return nil
}
