//go:build unix

package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// silent accepts connections but never answers.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// hungConfig has a provider whose probe is in progress most of the time.
func hungConfig(t *testing.T) string {
	return fmt.Sprintf("[[provider]]\nid = \"hung\"\nkind = \"http\"\nbase_url = \"http://%s\"\ntimeout = \"5m\"\n", silent(t))
}

// On SIGTERM the daemon ends streams with a last line, cancels probes, and exits 0 without
// waiting for a probe with a timeout of five minutes, or for a client with ten.
func TestShutdown_IsOrderly(t *testing.T) {
	p := newProcess(t, hungConfig(t)).start()
	res, err := p.http.Get("http://localhost/api/events?follow=1&since=0")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	waiting := make(chan int, 1)
	go func() { waiting <- p.do("POST", "/api/providers/refresh?wait=10m", nil) }()
	p.until(func() bool { return p.refreshes() > 0 })

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		last = lines.Text()
	}
	var note provider.StreamNote
	if err := json.Unmarshal([]byte(last), &note); err != nil || note.Type != "end" || note.Reason != "shutting_down" {
		t.Errorf("the stream's last line is %q", last)
	}
	if status := <-waiting; status != http.StatusServiceUnavailable {
		t.Errorf("the waiting client got %d", status)
	}
	select {
	case <-p.ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("it waits for what is under way")
	}
	if p.err != nil {
		t.Error(p.err)
	}
	if _, err := os.Lstat(p.socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func (p *process) refreshes() uint64 {
	var info provider.DaemonInfo
	p.do("GET", "/api/daemon", &info)
	return info.Counters.Refreshes
}

// SIGHUP reloads; a bad file is an error in the log, and changes nothing.
func TestReload_BySignal(t *testing.T) {
	server := "http://" + silent(t)
	p := newProcess(t, fmt.Sprintf("[[provider]]\nid = \"one\"\nkind = \"http\"\nbase_url = %q\n", server)).start()
	p.write("[[provider]]\nid = \"one\"\nkind = \"htp\"\n")
	p.hangUpUntil(func() bool { return strings.Contains(p.log.String(), "reload refused") })
	if !strings.Contains(p.log.String(), "c.toml:3") {
		t.Error("the log does not show the line")
	}
	var row provider.Status
	if status := p.do("GET", "/api/providers/one", &row); status != http.StatusOK || row.Kind != "http" {
		t.Errorf("%d %+v", status, row)
	}
	p.write(fmt.Sprintf("[[provider]]\nid = \"two\"\nkind = \"http\"\nbase_url = %q\n", server))
	p.hangUpUntil(func() bool { return p.do("GET", "/api/providers/two", nil) == http.StatusOK })
	if status := p.do("GET", "/api/providers/one", nil); status != http.StatusNotFound {
		t.Errorf("a removed provider answers %d", status)
	}
}

// hangUpUntil sends one SIGHUP and waits for its effect.
func (p *process) hangUpUntil(done func() bool) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	p.until(done)
}
