package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	firstBackoff = 20 * time.Millisecond
	lastBackoff  = 250 * time.Millisecond

	// missedWithin is how soon a daemon creates the file of its socket again.
	missedWithin = 4 * time.Second

	// maxPath is what the smallest sockaddr_un (macOS) holds, without the NUL.
	maxPath = 103
)

var (
	// errNotSocket is an error that the dial would call "refused".
	errNotSocket = errors.New("not a socket")
	// errFolder is a folder, and no socket.
	errFolder = errors.New("a folder")
	// errMounted is a socket whose file is mounted by itself, and whose daemon has ended.
	// The next makes a file of its own, which does not appear here.
	errMounted = errors.New("a mounted file whose daemon has ended")
	// errURL is for a path at which no daemon will ever listen.
	errURL = errors.New("a URL")
)

// A conn is a connection to the daemon.
type conn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	Name() string // the path it is connected to
}

// dial connects to the first daemon that accepts. While what is missing might be about to
// appear, it tries again, for as long as the client's patience lasts.
func (c *Client) dial(ctx context.Context) (conn, error) {
	patience := c.DialPatience
	if patience == 0 {
		patience = defaultPatience
	}
	giveUp := time.Now().Add(patience)
	for pause := firstBackoff; ; pause = min(2*pause, lastBackoff) {
		conn, failed := dialAny(c.places)
		if conn != nil {
			c.tellPassed(failed)
			return conn, nil
		}
		left := time.Until(giveUp)
		if left <= 0 && patience == defaultPatience && failed.comesBack() {
			patience, left = patience+missedWithin, missedWithin
			giveUp = time.Now().Add(left)
		}
		if left <= 0 || !failed.mayPass() {
			return nil, failed.failure()
		}
		select {
		case <-time.After(min(pause, left)):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, failed.failure() // says more than a timeout
			}
			return nil, contextError(ctx)
		}
	}
}

// misses are the dials that failed, in the order of the search.
type misses []miss

type miss struct {
	path string
	name string // the variable that led there; empty: none
	err  error
}

// tellPassed reports places that have a socket but were passed over because of their owner.
func (c *Client) tellPassed(failed misses) {
	for _, m := range failed {
		if e := (*foreignError)(nil); c.Passed != nil && errors.As(m.err, &e) && e.seen {
			c.Passed(e)
		}
	}
}

func dialAny(places iter.Seq[place]) (conn, misses) {
	var failed misses
	for p := range places {
		conn, err := dialOne(p)
		if err == nil {
			return conn, failed
		}
		failed = append(failed, miss{p.path, p.name, err})
	}
	return nil, failed
}

func dialOne(p place) (conn, error) {
	if len(p.path) > maxPath {
		return nil, syscall.ENAMETOOLONG
	}
	if p.chosen {
		return p.connect(p.path)
	}
	path, f, err := p.look()
	if err != nil {
		return nil, err
	}
	if len(path) > maxPath && filepath.IsAbs(p.path) { // the shorter path leads there
		path = p.path
	}
	conn, err := p.connect(path)
	if err == nil {
		err = p.believe(conn, f)
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (p place) connect(path string) (conn, error) {
	conn, err := connect(path)
	if err == nil {
		return conn, nil
	}
	if info, statErr := os.Stat(p.path); statErr == nil && info.IsDir() {
		return nil, errFolder
	} else if statErr == nil && info.Mode()&(fs.ModeSocket|fs.ModeIrregular) == 0 {
		return nil, errNotSocket
	} else if errors.Is(err, syscall.ECONNREFUSED) && isMounted(p.path) {
		return nil, errMounted
	} else if strings.Contains(p.path, "://") && errors.Is(statErr, fs.ErrNotExist) {
		return nil, errURL
	}
	return nil, err
}

// mayPass reports whether a dial that failed like this might succeed in a moment.
func (m miss) mayPass() bool {
	return errors.Is(m.err, fs.ErrNotExist) ||
		errors.Is(m.err, syscall.ECONNREFUSED) ||
		errors.Is(m.err, syscall.EAGAIN) // the listener's backlog is full
}

// comesBack reports whether somebody listens there, and only the socket's file or its
// folder is gone: moved, replaced, or removed by a cleaner. A daemon creates it again.
func (m miss) comesBack() bool {
	return (errors.Is(m.err, fs.ErrNotExist) || errors.Is(m.err, syscall.ECONNREFUSED) || errors.Is(m.err, syscall.ENOTDIR)) &&
		isListenedOn(m.path)
}

func (ms misses) comesBack() bool {
	return slices.ContainsFunc(ms, miss.comesBack)
}

func (ms misses) mayPass() bool {
	for _, m := range ms {
		if m.mayPass() {
			return true
		}
	}
	return false
}

// failure is the one error for all the misses.
func (ms misses) failure() error {
	e := ms.explain()
	if e.Code == provider.DaemonUnreachable && (ms.mayPass() || ms.comesBack()) {
		return &absent{e}
	}
	return e
}

// explain is what the failures mean and what to do. A socket that exists says more than
// one that does not.
func (ms misses) explain() *provider.Error {
	for i, m := range ms {
		if e := (*foreignError)(nil); errors.As(m.err, &e) {
			return e.explain(slices.Delete(slices.Clone(ms), i, i+1))
		}
	}
	for _, m := range ms {
		switch {
		case errors.Is(m.err, errURL):
			path, ok := strings.CutPrefix(m.path, "unix://")
			if !ok {
				path = "PATH"
			}
			return provider.Errorf(provider.DaemonUnreachable, "give the control socket's path: --socket "+path,
				"%s is a URL, not the path of a socket", m.path)
		case errors.Is(m.err, fs.ErrPermission):
			return provider.Errorf(provider.Denied, "run it with sudo, or as the user whose daemon it is",
				"you may not open the control socket %s", m.path)
		case errors.Is(m.err, errMounted):
			return provider.Errorf(provider.DaemonUnreachable,
				"mount its folder "+filepath.Dir(m.path)+" instead, which shows each new socket, and restart this container",
				"the socket %s is mounted here as a file, and is that of a daemon that has ended", m.path)
		case errors.Is(m.err, errFolder):
			hint := "give the control socket's path: --socket PATH"
			if isMounted(m.path) {
				hint = "a container runtime makes a folder where the file to mount is not there: remove it outside, start providerd, and mount the socket's folder"
			} else if exists(filepath.Join(m.path, socketName)) {
				hint = "did you mean: --socket " + filepath.Join(m.path, socketName)
			}
			return provider.Errorf(provider.DaemonUnreachable, hint, "%s is a folder, not a socket", m.path)
		case errors.Is(m.err, errNotSocket):
			return provider.Errorf(provider.DaemonUnreachable, "give the control socket's path: --socket PATH",
				"%s is not a socket", m.path)
		case errors.Is(m.err, syscall.ENAMETOOLONG):
			return provider.Errorf(provider.DaemonUnreachable, "give a shorter one: --socket PATH",
				"the socket path %s is too long: %d bytes; at most %d fit", m.path, len(m.path), maxPath)
		case errors.Is(m.err, syscall.EAGAIN):
			return provider.Errorf(provider.DaemonUnreachable, "it is busy: try again",
				"the daemon at %s accepts no more connections", m.path)
		}
	}
	var paths []string
	for _, m := range ms {
		if m.comesBack() {
			return provider.Errorf(provider.DaemonUnreachable,
				"a daemon creates it again within 10 s: try again; if it does not, look at its log, and restart it; if it runs in a container, the file is there",
				"a process listens at %s, but the file of its socket is gone", m.path)
		}
		if errors.Is(m.err, syscall.ECONNREFUSED) {
			return provider.Errorf(provider.DaemonUnreachable, ms.startHint(exists),
				"the daemon is not running: nothing listens at %s any more", m.path)
		}
		paths = append(paths, m.path)
		if !errors.Is(m.err, fs.ErrNotExist) {
			return provider.Errorf(provider.DaemonUnreachable, ms.startHint(exists), "reaching the daemon: %v", m.err)
		}
	}
	e := provider.Errorf(provider.DaemonUnreachable, ms.startHint(exists),
		"the daemon is not running: no socket at %s", anyOf(paths))
	if len(ms) == 1 { // a path that was given
		return e
	}
	return besideSudo(ms.withoutRuntimeFolder(e))
}

// anyOf lists alternatives.
func anyOf(paths []string) string {
	last := max(0, len(paths)-2)
	return strings.Join(append(paths[:last:last], strings.Join(paths[last:], " or ")), ", ")
}

// services are the files of an installed service: the packages' unit or the one of
// "providerd service install", OpenRC's script and launchd's job.
var services = []string{
	"/usr/lib/systemd/system/providerd.service", "/lib/systemd/system/providerd.service",
	"/etc/systemd/system/providerd.service", "/etc/init.d/providerd",
	"/Library/LaunchDaemons/com.github.providerd.plist",
}

// userServices are the files of "providerd service install --user", below the home folder.
var userServices = []string{
	".config/systemd/user/providerd.service", ".config/systemd/user/default.target.wants/providerd.service",
	"Library/LaunchAgents/com.github.providerd.plist",
}

// startHint is how to start the daemon that was looked for: the user's service or the
// machine's, if it is installed and its socket is among the places tried.
func (ms misses) startHint(exists func(path string) bool) string {
	home, _ := os.UserHomeDir()
	own := func(path string) bool { return home != "" && exists(filepath.Join(home, path)) }
	for _, m := range ms {
		switch {
		case m.path == SystemSocket():
			if slices.ContainsFunc(services, exists) {
				return "start it: sudo providerd service start"
			}
		case strings.HasSuffix(m.path, "/"+folderName+"/"+socketName) && slices.ContainsFunc(userServices, own):
			return "start it: providerd service start --user"
		}
	}
	return "start it: providerd"
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
