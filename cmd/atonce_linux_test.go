package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A serving is a model server in a process of its own.
type serving struct{ Address string }

func playServe() {
	l, err := net.Listen("tcp", taskOf[serving]().Address)
	if err != nil {
		panic(err)
	}
	underWay()
	panic(http.Serve(l, http.HandlerFunc(answerAsOllama)))
}

// freeAddress is one at which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// seldom is a configuration whose provider is probed once an hour.
func seldom(address string) string {
	return patiently + fmt.Sprintf("interval = \"1h\"\n[[provider]]\nid = \"a\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n", address)
}

// events follows the events of one daemon from now on.
func (p *process) events(within time.Duration) (next func() provider.Event) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within) // where none ever comes
	req, err := http.NewRequestWithContext(ctx, "GET", "http://localhost/api/events?follow=1", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cancel(); res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	return func() provider.Event {
		p.t.Helper()
		for lines.Scan() {
			var e provider.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				p.t.Fatalf("%s: %v", lines.Bytes(), err)
			}
			if e.Seq > 0 && e.ID != "" {
				return e
			}
		}
		p.t.Fatal("the daemon told of no more events")
		return provider.Event{}
	}
}

// The end of a server is told although the next probe is an hour away, because the kernel
// says so, and its return too. A daemon of any user hears it, also of a port that a reload
// added.
func TestProviderd_SeesAServersEndAtOnce(t *testing.T) {
	needRoot(t)
	t.Parallel()
	for name, owner := range map[string]user{"Root": {}, "OtherUser": alone(daemonUID)} {
		t.Run(name, func(t *testing.T) {
			address := freeAddress(t)
			end := begin(t, user{}, "serve", serving{address})
			p := newProcessOf(t, owner, seldom(freeAddress(t)))
			p.start()
			p.write(seldom(address))
			p.ctl("reload")
			p.until(func() bool { return p.row("a").State == provider.StateRunning })
			next := p.events(2 * time.Minute)
			end()
			if e := next(); e.To != provider.StateStopped || e.Reason != provider.ConnectionRefused {
				t.Errorf("the event is %+v", e)
			}
			begin(t, user{}, "serve", serving{address})
			if e := next(); e.To != provider.StateRunning {
				t.Errorf("the event is %+v", e)
			}
			if strings.Contains(p.log.String(), "not noticed at once") {
				t.Errorf("log:\n%s", p.log)
			}
		})
	}
}

// BenchmarkAtOnce measures, with real processes: from the kill of a server to the line that
// a follower reads, and from when a server listens to the end of a wait for it. A line is read
// after a commit, so as many bytes are synced beside each, on the same disk. An iteration is ten
// of each and takes half a minute: -benchtime 10x for the 99th percentile of a hundred.
func BenchmarkAtOnce(b *testing.B) {
	needRoot(b)
	const each = 10
	address := freeAddress(b)
	end := begin(b, user{}, "serve", serving{address})
	p := newProcess(b, seldom(address))
	p.level = "info"
	p.start()
	p.until(func() bool { return p.row("a").State == provider.StateRunning })
	<-time.After(time.Second) // the first probe is none of those measured
	next := p.events(time.Hour)
	disk, err := os.Create(p.dir + "/beside")
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	var deaths, births, syncs []time.Duration
	for b.Loop() {
		for range each {
			i := len(deaths) % 100
			began := time.Now()
			end()
			for next().To != provider.StateStopped {
			}
			deaths = append(deaths, time.Since(began))
			syncs = append(syncs, syncOnce(b, disk))
			ended := make(chan time.Time, 1)
			go func() {
				p.ctl("wait", "a", "--timeout", "60s")
				ended <- time.Now()
			}()
			<-time.After(500*time.Millisecond + time.Duration(i)*7*time.Millisecond) // it waits, and the knocks are anywhere
			end = begin(b, user{}, "serve", serving{address})
			listens := time.Now()
			births = append(births, (<-ended).Sub(listens))
			for next().To != provider.StateRunning {
			}
			<-time.After(time.Second) // at once and again, as somebody who tries it would
		}
	}
	for name, all := range map[string][]time.Duration{"death": deaths, "birth": births, "fsync": syncs} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2-1].Microseconds())/1e3, "ms-"+name+"-p50")
		b.ReportMetric(float64(all[len(all)*99/100-1].Microseconds())/1e3, "ms-"+name+"-p99")
	}
	b.ReportMetric(0, "ns/op")
}

// syncOnce writes as much as a commit does, and returns how long the disk took.
func syncOnce(b *testing.B, f *os.File) time.Duration {
	began := time.Now()
	if _, err := f.WriteAt(make([]byte, 4*4096), 0); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
