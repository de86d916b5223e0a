package etcd

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// A server that greets late and then says nothing is given up within the time that a renewal
// has, however often it is tried again. Otherwise the lease ends before its session does.
func TestSession_EndsInTimeWhateverTheServerDoes(t *testing.T) {
	for _, greeting := range []time.Duration{0, 3 * time.Second, 6900 * time.Millisecond, time.Hour} {
		t.Run(greeting.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, err := New(Options{Endpoints: []string{"http://localhost"}, Prefix: "/p/"})
				if err != nil {
					t.Fatal(err)
				}
				b.connect = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go io.Copy(io.Discard, theirs)
					time.AfterFunc(greeting, func() { http2.NewFramer(theirs, theirs).WriteSettings() })
					return ours, nil
				}
				s := &session{bus: b, own: "/p/members/a", lease: 1}
				s.ctx, s.end = context.WithCancelCause(context.Background())
				began := time.Now()
				s.answered.Store(&began)
				s.running.Go(s.keep)
				s.running.Wait()
				if took := time.Since(began); took > b.KeepAlive+b.Unanswered {
					t.Errorf("the session ended %v after the last answer: %v", took, s.Err())
				}
				b.Close()
			})
		})
	}
}
