package portwatch_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/portwatch"
)

// BenchmarkShortConnection measures what a watch costs the other programs of this machine:
// the kernel makes a message for each socket that is destroyed, and the filter throws it
// away. Connections with and without a watch take turns.
func BenchmarkShortConnection(b *testing.B) {
	const slice = 500
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			c.Close()
		}
	}()
	connect := func() time.Duration {
		began := time.Now()
		for range slice {
			c, err := net.Dial("tcp4", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		return time.Since(began)
	}
	var with, without time.Duration
	for b.Loop() {
		without += connect()
		ctx, cancel := context.WithCancel(b.Context())
		w := portwatch.New(portwatch.Options{Closed: func([]uint16) {}, Missed: func() {}})
		w.Follow([]uint16{11434, uint16(l.Addr().(*net.TCPAddr).Port)})
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		<-time.After(10 * time.Millisecond) // it joins
		with += connect()
		cancel()
		<-ended
	}
	b.ReportMetric(float64(with.Nanoseconds())/float64(b.N)/slice/1e3, "µs/connection")
	b.ReportMetric(with.Seconds()/without.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}
