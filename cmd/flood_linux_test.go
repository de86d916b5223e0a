package cmd_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A flooding is an attack that lasts until it is killed.
type flooding struct {
	Socket, Way string
	Conns       int
}

func playFlood() {
	task := taskOf[flooding]()
	dial := func() net.Conn {
		nc, err := net.Dial("unix", task.Socket)
		if err != nil {
			return nil
		}
		return nc
	}
	switch task.Way {
	case "Hold":
		open := make([]net.Conn, 0, task.Conns)
		for len(open) < task.Conns { // refused connections are kept too
			if nc := dial(); nc != nil {
				open = append(open, nc)
			}
		}
		underWay()
		<-time.After(time.Hour)
		for _, nc := range open {
			nc.Close()
		}
	case "Storm", "StormOfRequests":
		underWay()
		for {
			if nc := dial(); nc != nil {
				if task.Way == "StormOfRequests" {
					_, _ = io.WriteString(nc, get)
				}
				nc.Close()
			}
		}
	default:
		w := floods[task.Way]
		var wg sync.WaitGroup
		for range task.Conns {
			wg.Go(func() {
				for {
					if nc := dial(); nc != nil {
						w(nc)
						nc.Close()
					} else {
						time.Sleep(10 * time.Millisecond)
					}
				}
			})
		}
		underWay()
		wg.Wait()
	}
}

const get = "GET /api/providers/status HTTP/1.1\r\nHost: x\r\n\r\n"

// floods are what an attacker does with each connection.
var floods = map[string]func(net.Conn){
	"ByteASecondOfAHeader": func(nc net.Conn) { drip(nc, get+strings.Repeat("x", 1000)) },
	"ByteASecondOfABody": func(nc net.Conn) {
		head := "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
		if _, err := io.WriteString(nc, head); err == nil {
			drip(nc, strings.Repeat("x", 1000))
		}
	},
	"NeverRead": func(nc net.Conn) {
		for {
			if _, err := io.WriteString(nc, get); err != nil {
				return
			}
		}
	},
	"Pipelined": func(nc net.Conn) {
		go io.Copy(io.Discard, nc)
		for {
			if _, err := io.WriteString(nc, strings.Repeat(get, 100)); err != nil {
				return
			}
		}
	},
	"Refreshes": func(nc net.Conn) { repeat(nc, "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\n\r\n") },
	"MaxAgeZero": func(nc net.Conn) {
		repeat(nc, "GET /api/providers/status?max_age=0s&wait=10s HTTP/1.1\r\nHost: x\r\n\r\n")
	},
	"Streams": func(nc net.Conn) {
		repeat(nc, "GET /api/events?follow=1&since=0 HTTP/1.1\r\nHost: x\r\n\r\n")
	},
}

// drip reconnects no faster than it sends.
func drip(nc net.Conn, text string) {
	go io.Copy(io.Discard, nc)
	for i := range text {
		_, err := io.WriteString(nc, text[i:i+1])
		time.Sleep(time.Second)
		if err != nil {
			return
		}
	}
}

func repeat(nc net.Conn, request string) {
	buf := make([]byte, 64<<10)
	for {
		if _, err := io.WriteString(nc, request); err != nil {
			return
		}
		if _, err := nc.Read(buf); err != nil {
			return
		}
	}
}

// A bound is how many times as long as with a trivial handler at the same time reads may
// take: in the median, and on average without the slowest of a hundred.
type bound struct{ half, most float64 }

// If the attacker leaves the processors alone, there is no waiting: the reads take as long
// as the handler's, give or take the machine's noise. Reads wait for an attacker who keeps
// both busy, but only for half of its turns: without turns they took 90 to 200 times as
// long as the handler's.
var unnoticed, bearable = bound{5, 30}, bound{40, 60}

// The attacks, and who reads meanwhile: another user, the same user, and the daemon's own
// user, as with a person's own daemon.
var attacks = []struct {
	name, way string
	conns     int
	attacker  user
	reader    user
	most      bound
}{
	{"AnotherUserHolds", "Hold", 10_000, alone(otherUID), alone(readerUID), unnoticed},
	{"OneOfTheSameUserHolds", "Hold", 10_000, alone(otherUID), alone(otherUID), unnoticed},
	{"OneOfTheDaemonsUserHolds", "Hold", 10_000, alone(daemonUID), alone(daemonUID), unnoticed},
	{"AnotherUserSendsAByteASecondOfAHeader", "ByteASecondOfAHeader", 3000, alone(otherUID), alone(readerUID), unnoticed},
	{"OneOfTheSameUserSendsAByteASecondOfAHeader", "ByteASecondOfAHeader", 3000, alone(otherUID), alone(otherUID), unnoticed},
	{"AnotherUserSendsAByteASecondOfABody", "ByteASecondOfABody", 3000, alone(otherUID), alone(readerUID), unnoticed},
	{"AnotherUserNeverReads", "NeverRead", 500, alone(otherUID), alone(readerUID), bearable},
	{"AnotherUserPipelines", "Pipelined", 100, alone(otherUID), alone(readerUID), bearable},
	{"AnotherUserRefreshes", "Refreshes", 100, alone(otherUID), alone(readerUID), bearable},
	{"AnotherUserWantsAllFresh", "MaxAgeZero", 1000, alone(otherUID), alone(readerUID), bearable},
	{"AnotherUserFollows", "Streams", 1000, alone(otherUID), alone(readerUID), bearable},
}

// newBesieged is a daemon with five providers, whose socket everybody may use.
func newBesieged(t testing.TB) *process {
	t.Helper()
	config := ""
	for i := range 5 {
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n", i)
	}
	p := newProcessOf(t, alone(daemonUID), config)
	p.level = "info" // the default
	p.start()
	p.until(func() bool { return p.unchecked() == 0 })
	if err := os.Chmod(p.socket, 0o666); err != nil { // like the system's
		t.Fatal(err)
	}
	return p
}

// While one process opens 10,000 connections, or sends a byte a second on thousands, no
// read of another fails or waits for that process: they take as long as a trivial
// handler's beside them. BenchmarkDoors_Floods measures the promised milliseconds.
func TestDoors_FloodsDelayNobody(t *testing.T) {
	needRoot(t)
	p := newBesieged(t)
	trivial := p.serveTrivially()
	for _, tt := range attacks {
		t.Run(tt.name, func(t *testing.T) {
			end := begin(t, tt.attacker, "flood", flooding{p.socket, tt.way, tt.conns})
			defer end()
			for _, fresh := range []bool{true, false} {
				l := ask[lasting](t, tt.reader, "read", reading{Socket: p.socket, Floor: trivial, Reads: 400, Fresh: fresh, Every: time.Millisecond / 2})
				t.Logf("a connection for each %v: %s", fresh, l)
				if l.Failed > 0 {
					t.Errorf("%d of the reads failed: %s", l.Failed, l.Why)
				}
				if l.atHalf() > tt.most.half || l.atMost() > tt.most.most {
					t.Errorf("more than %v and %v times the floor: %s", tt.most.half, tt.most.most, l)
				}
			}
		})
	}
}

// BenchmarkDoors_Floods measures how long the slowest of a hundred reads takes, on a new
// connection, in peace and during each attack, beside a trivial handler's.
func BenchmarkDoors_Floods(b *testing.B) {
	needRoot(b)
	p := newBesieged(b)
	trivial := p.serveTrivially()
	measure := func(b *testing.B, reader user) {
		var all lasting
		for b.Loop() {
			l := ask[lasting](b, reader, "read", reading{Socket: p.socket, Floor: trivial, Reads: 400, Fresh: true, Every: time.Millisecond / 2})
			if l.Failed > 0 {
				b.Errorf("%d of the reads failed: %s", l.Failed, l.Why)
			}
			all.Took, all.Floor = append(all.Took, l.Took...), append(all.Floor, l.Floor...)
		}
		slices.Sort(all.Took)
		slices.Sort(all.Floor)
		b.ReportMetric(quantile(all.Took, 99).Seconds()*1e3, "p99-ms")
		b.ReportMetric(quantile(all.Floor, 99).Seconds()*1e3, "floor-p99-ms")
		b.ReportMetric(all.atHalf(), "ratio-p50")
		b.ReportMetric(float64(p.resident())/(1<<20), "MiB-resident")
	}
	b.Run("InPeace", func(b *testing.B) { measure(b, alone(readerUID)) })
	for _, tt := range attacks {
		b.Run(tt.name, func(b *testing.B) {
			end := begin(b, tt.attacker, "flood", flooding{p.socket, tt.way, tt.conns})
			defer end()
			measure(b, tt.reader)
		})
	}
}

// Eight processes connect and close as fast as they can. A client that comes then waits far
// less than at a listener that only accepts and answers, where it waits behind thousands of
// closed connections. On a machine with enough processors there is no queue at either.
func TestDoors_AStormOfConnectionsIsNotWaitedFor(t *testing.T) {
	needRoot(t)
	p := newBesieged(t)
	trivial := p.serveTrivially()
	for _, way := range []string{"Storm", "StormOfRequests"} {
		t.Run(way, func(t *testing.T) {
			measure := func(socket string, reads int) lasting {
				for range 8 {
					defer begin(t, alone(otherUID), "flood", flooding{Socket: socket, Way: way})()
				}
				return ask[lasting](t, alone(readerUID), "read", reading{Socket: socket, Reads: reads, Fresh: true, Patient: true})
			}
			calm := ask[lasting](t, alone(readerUID), "read", reading{Socket: p.socket, Reads: 50, Fresh: true, Every: time.Millisecond})
			ours, bare := measure(p.socket, 50), measure(trivial, 9)
			t.Logf("half of the reads took %v, %v at a bare listener, %v in peace", quantile(ours.Took, 50), quantile(bare.Took, 50), quantile(calm.Took, 50))
			if ours.Failed > 0 {
				t.Errorf("%d of the reads failed: %s", ours.Failed, ours.Why)
			}
			if half := quantile(ours.Took, 50); half > quantile(bare.Took, 50)/4 && half > 20*quantile(calm.Took, 50) {
				t.Errorf("half of the reads took more than %v; at a bare listener %v, in peace %v", half, quantile(bare.Took, 50), quantile(calm.Took, 50))
			}
		})
	}
}
