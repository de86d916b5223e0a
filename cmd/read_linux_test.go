package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A reading is many cached reads, one after the other, of the daemon and of its floor in
// turn, so that other load on the machine affects both alike.
type reading struct {
	Socket, Floor string // Floor can be empty
	Reads         int
	Fresh         bool // each on a new connection, like providerctl
	Patient       bool // retry if the queue is full
	Every         time.Duration
}

// A lasting is how long a reader's reads took, and those of the floor, each sorted.
type lasting struct {
	Took, Floor []time.Duration
	Failed      int
	Why         string
}

// quantile is how long so many of a hundred reads took at most.
func quantile(took []time.Duration, percent int) time.Duration {
	return took[len(took)*percent/100]
}

// most is what 99 of 100 reads took on average.
func most(took []time.Duration) (mean time.Duration) {
	n := len(took) * 99 / 100
	for _, d := range took[:n] {
		mean += d
	}
	return mean / time.Duration(n)
}

// atHalf and atMost are how many times as long as those of the floor the reads took: in
// the median, and on average without the slowest of a hundred.
func (l lasting) atHalf() float64 {
	return float64(quantile(l.Took, 50)) / float64(quantile(l.Floor, 50))
}

func (l lasting) atMost() float64 { return float64(most(l.Took)) / float64(most(l.Floor)) }

func (l lasting) String() string {
	return fmt.Sprintf("%.1f times the floor at half, %.1f times on average; p50 %v, p99 %v; the floor's %v, %v",
		l.atHalf(), l.atMost(), quantile(l.Took, 50), quantile(l.Took, 99), quantile(l.Floor, 50), quantile(l.Floor, 99))
}

func playRead() {
	task := taskOf[reading]()
	var l lasting
	ours, floor := &line{reading: task, socket: task.Socket}, &line{reading: task, socket: task.Floor}
	for range task.Reads {
		took, err := ours.read()
		l.Took = append(l.Took, took)
		if err != nil {
			l.Failed++
			l.Why = err.Error()
		}
		if task.Floor != "" {
			if took, err = floor.read(); err != nil {
				panic(err)
			}
			l.Floor = append(l.Floor, took)
		}
		time.Sleep(task.Every) // so that the reader does not compete with what it measures
	}
	slices.Sort(l.Took)
	slices.Sort(l.Floor)
	json.NewEncoder(os.Stdout).Encode(l)
}

// A line is how a reader reaches one socket.
type line struct {
	reading
	socket string
	nc     net.Conn
	buf    [64 << 10]byte
}

func (l *line) read() (took time.Duration, err error) {
	began := time.Now()
	if l.nc == nil {
		for l.nc, err = net.Dial("unix", l.socket); l.Patient && errors.Is(err, syscall.EAGAIN) && time.Since(began) < time.Minute; {
			time.Sleep(time.Millisecond)
			l.nc, err = net.Dial("unix", l.socket)
		}
		if err != nil {
			l.nc = nil
			return time.Since(began), err
		}
	}
	l.nc.SetDeadline(began.Add(time.Minute))
	if _, err = io.WriteString(l.nc, get); err == nil {
		var n int
		if n, err = l.nc.Read(l.buf[:]); err == nil && !strings.HasPrefix(string(l.buf[:n]), "HTTP/1.1 200") {
			err = fmt.Errorf("%.300s", l.buf[:n])
		}
	}
	took = time.Since(began)
	if err != nil || l.Fresh {
		l.nc.Close()
		l.nc = nil
	}
	return took, err
}

// serveTrivially answers on its own socket with a reply as long as the daemon's, and does
// nothing else. It shows how long reads take on this machine at least.
func (p *process) serveTrivially() (socket string) {
	p.t.Helper()
	var reply json.RawMessage
	p.do("GET", "/api/providers/status", &reply)
	socket = filepath.Join(p.dir, "trivial")
	l, err := net.Listen("unix", socket)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		p.t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(reply) })}
	go func() { _ = s.Serve(l) }()
	p.t.Cleanup(func() { s.Close() })
	return socket
}
