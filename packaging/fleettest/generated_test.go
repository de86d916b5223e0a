package fleettest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/etcd"
)

// A standIn is a server of etcd's API that uses etcd's generated messages: it reads what the
// bus sends, and sends what it likes.
type standIn struct {
	etcdserverpb.UnimplementedKVServer
	etcdserverpb.UnimplementedLeaseServer
	etcdserverpb.UnimplementedWatchServer

	keys   []*mvccpb.KeyValue // in order
	page   int64              // the largest page it sends; 0: as asked
	watch  []*etcdserverpb.WatchResponse
	txns   chan *etcdserverpb.TxnRequest
	create chan *etcdserverpb.WatchCreateRequest

	reads   int64        // renewals before it answers a read
	renewed atomic.Int64 // streams of renewals that were ended in order
}

// serve serves on loopback, without TLS.
func (s *standIn) serve(t *testing.T) string {
	t.Helper()
	s.txns = make(chan *etcdserverpb.TxnRequest, 100)
	s.create = make(chan *etcdserverpb.WatchCreateRequest, 100)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := grpc.NewServer()
	etcdserverpb.RegisterKVServer(server, s)
	etcdserverpb.RegisterLeaseServer(server, s)
	etcdserverpb.RegisterWatchServer(server, s)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return "http://" + l.Addr().String()
}

func head() *etcdserverpb.ResponseHeader {
	return &etcdserverpb.ResponseHeader{ClusterId: 1, MemberId: 2, Revision: 100, RaftTerm: 3}
}

func (s *standIn) Range(ctx context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	for s.renewed.Load() < s.reads && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	limit := r.Limit
	if s.page > 0 {
		limit = min(limit, s.page)
	}
	answer := &etcdserverpb.RangeResponse{Header: head(), Count: int64(len(s.keys))}
	for _, kv := range s.keys {
		if string(kv.Key) < string(r.Key) || string(kv.Key) >= string(r.RangeEnd) {
			continue
		}
		if int64(len(answer.Kvs)) == limit {
			answer.More = true
			break
		}
		answer.Kvs = append(answer.Kvs, kv)
	}
	return answer, nil
}

func (s *standIn) Txn(_ context.Context, r *etcdserverpb.TxnRequest) (*etcdserverpb.TxnResponse, error) {
	s.txns <- r
	return &etcdserverpb.TxnResponse{Header: head(), Succeeded: true}, nil
}

func (*standIn) LeaseGrant(context.Context, *etcdserverpb.LeaseGrantRequest) (*etcdserverpb.LeaseGrantResponse, error) {
	return &etcdserverpb.LeaseGrantResponse{Header: head(), ID: -7, TTL: 3}, nil
}

func (*standIn) LeaseRevoke(context.Context, *etcdserverpb.LeaseRevokeRequest) (*etcdserverpb.LeaseRevokeResponse, error) {
	return &etcdserverpb.LeaseRevokeResponse{Header: head()}, nil
}

func (s *standIn) LeaseKeepAlive(l etcdserverpb.Lease_LeaseKeepAliveServer) error {
	for {
		r, err := l.Recv()
		if errors.Is(err, io.EOF) {
			s.renewed.Add(1)
			return nil
		}
		if err != nil {
			return err
		}
		if err := l.Send(&etcdserverpb.LeaseKeepAliveResponse{Header: head(), ID: r.ID, TTL: 3}); err != nil {
			return err
		}
	}
}

func (s *standIn) Watch(w etcdserverpb.Watch_WatchServer) error {
	r, err := w.Recv()
	if err != nil {
		return err
	}
	s.create <- r.GetCreateRequest()
	for _, answer := range append([]*etcdserverpb.WatchResponse{{Header: head(), Created: true}}, s.watch...) {
		if err := w.Send(answer); err != nil {
			return err
		}
	}
	<-w.Context().Done()
	return nil
}

func open(t *testing.T, url string) (bus.Session, error) {
	t.Helper()
	b, err := etcd.New(etcd.Options{
		Endpoints: []string{url}, Prefix: prefix,
		TTL: 3 * time.Second, KeepAlive: 100 * time.Millisecond, Unanswered: time.Second, Call: time.Second,
	})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	s, err := b.Open(brief(t), "members/a", []byte("mine"))
	if err == nil {
		t.Cleanup(func() { s.Close(brief(t)) })
	}
	return s, err
}

func randomBytes(most int) []byte {
	b := make([]byte, rand.IntN(most))
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func randomKey() string { return "row/" + strings.ToValidUTF8(string(randomBytes(40)), "?") }

func TestMessages_AreReadByEtcdsOwn(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("Session", func(t *testing.T) {
		s := &standIn{}
		a, err := open(t, s.serve(t))
		must(t, err)
		join := <-s.txns
		c := join.Compare[0]
		if c.Target != etcdserverpb.Compare_CREATE || c.Result != etcdserverpb.Compare_EQUAL || c.GetCreateRevision() != 0 ||
			string(c.Key) != prefix+"members/a" || join.Success[0].GetRequestPut().Lease != -7 {
			t.Fatalf("%v", join)
		}
		if _, set := c.TargetUnion.(*etcdserverpb.Compare_CreateRevision); !set {
			t.Errorf("the compared revision 0 was not sent: %v", c)
		}
		<-a.Batches()
		if w := <-s.create; string(w.Key) != prefix || w.StartRevision != 101 || !w.Fragment || !w.ProgressNotify ||
			string(w.RangeEnd) != strings.TrimSuffix(prefix, "/")+"0" {
			t.Errorf("%v", w)
		}
		for range 200 {
			claim, key, value, epoch := randomKey(), randomKey(), randomBytes(2000), rand.Int64()
			_, _, err := a.PutFenced(brief(t), claim, epoch, key, value)
			must(t, err)
			r := <-s.txns
			c, put := r.Compare[0], r.Success[0].GetRequestPut()
			if len(r.Compare) != 1 || len(r.Success) != 1 || len(r.Failure) != 0 || string(c.Key) != prefix+claim ||
				c.GetCreateRevision() != epoch || string(put.Key) != prefix+key || !bytes.Equal(put.Value, value) || put.Lease != -7 {
				t.Fatalf("sent %q %d %q %q, read as %v", claim, epoch, key, value, r)
			}
			_, err = a.DeleteFenced(brief(t), claim, epoch, claim, key)
			must(t, err)
			r = <-s.txns
			if c := r.Compare[0]; len(r.Compare) != 1 || string(c.Key) != prefix+claim || c.GetCreateRevision() != epoch {
				t.Fatalf("%v", r)
			}
			if string(r.Success[0].GetRequestDeleteRange().Key) != prefix+claim || string(r.Success[1].GetRequestDeleteRange().Key) != prefix+key {
				t.Fatalf("%v", r)
			}
		}
	})
}

func TestMessages_OfEtcdsOwnAreRead(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("Session", func(t *testing.T) {
		s := &standIn{page: 7}
		var all, changed []bus.Change
		for i := range 100 {
			key := "row/" + string(rune('0'+i/10)) + string(rune('0'+i%10))
			c := bus.Change{Key: key, Value: randomBytes(60 << 10), Created: rand.Int64(), Written: rand.Int64(), Lease: int64(rand.Uint64())}
			all = append(all, c)
			s.keys = append(s.keys, &mvccpb.KeyValue{Key: []byte(prefix + key), Value: c.Value, CreateRevision: c.Created, ModRevision: c.Written, Version: rand.Int64(), Lease: c.Lease})
		}
		for i := range 50 {
			c := bus.Change{Key: randomKey(), Value: randomBytes(3000), Created: rand.Int64(), Written: 101 + int64(i), Lease: int64(rand.Uint64())}
			kind := mvccpb.Event_PUT
			if i%5 == 0 {
				c.Value, kind = nil, mvccpb.Event_DELETE
			}
			changed = append(changed, c)
			s.watch = append(s.watch, &etcdserverpb.WatchResponse{Header: head(), WatchId: 5, Fragment: i%3 == 0, Events: []*mvccpb.Event{{
				Type: kind, PrevKv: &mvccpb.KeyValue{Key: []byte("before")},
				Kv: &mvccpb.KeyValue{Key: []byte(prefix + c.Key), Value: c.Value, CreateRevision: c.Created, ModRevision: c.Written, Lease: c.Lease},
			}}})
		}
		s.watch = append(s.watch, &etcdserverpb.WatchResponse{Header: head()})
		a, err := open(t, s.serve(t))
		must(t, err)
		if first := <-a.Batches(); !first.All || first.Revision != 100 || !reflect.DeepEqual(first.Changes, all) {
			t.Fatal("all keys are read differently")
		}
		var got []bus.Change
		for len(got) < len(changed)-1 { // the last may be in a fragment
			got = append(got, (<-a.Batches()).Changes...)
		}
		if !reflect.DeepEqual(got, changed[:len(got)]) {
			t.Fatal("changes are read differently")
		}
	})
}

// A stream that stays open costs etcd memory for each member.
func TestBus_EndsTheStreamOfARenewal(t *testing.T) {
	s := &standIn{}
	a, err := open(t, s.serve(t))
	must(t, err)
	eventually(t, "three renewals are over", func() bool { return s.renewed.Load() >= 3 })
	must(t, a.Err())
}

// When hundreds join at once, reading all keys can take longer than a lease lasts.
func TestBus_RenewsItsLeaseWhileItReadsAllKeys(t *testing.T) {
	s := &standIn{reads: 2}
	_, err := open(t, s.serve(t))
	must(t, err)
}

// Whatever a server sends, it costs bounded memory and time.
func TestBus_BearsAHostileServer(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	one := func(value int) []*mvccpb.KeyValue {
		return []*mvccpb.KeyValue{{Key: []byte(prefix + "row/1"), Value: make([]byte, value), CreateRevision: 1, ModRevision: 1}}
	}
	for name, test := range map[string]struct {
		s    *standIn
		want etcd.Problem // "": the session opens
	}{
		"AHugeValue":     {&standIn{keys: one(1 << 20)}, ""},
		"AHugeAnswer":    {&standIn{keys: one(5 << 20)}, etcd.TooMuch},
		"KeysOfOthers":   {&standIn{keys: one(1), watch: []*etcdserverpb.WatchResponse{{Header: head(), Events: []*mvccpb.Event{{Kv: &mvccpb.KeyValue{Key: []byte("/other"), ModRevision: 200}}}}}}, ""},
		"AnEmptyEvent":   {&standIn{watch: []*etcdserverpb.WatchResponse{{Events: []*mvccpb.Event{{}}}}}, ""},
		"OtherCluster":   {&standIn{watch: []*etcdserverpb.WatchResponse{{Header: &etcdserverpb.ResponseHeader{ClusterId: 9}}}}, etcd.OtherCluster},
		"WatchForbidden": {&standIn{watch: []*etcdserverpb.WatchResponse{{Header: head(), Canceled: true, CancelReason: "etcdserver: permission denied"}}}, etcd.NoPermission},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := open(t, test.s.serve(t))
			if err == nil {
				first := <-a.Batches()
				if len(first.Changes) > 0 && len(first.Changes[0].Value) > 128<<10 {
					t.Error("a huge value was handed out")
				}
				if test.want != "" {
					for range a.Batches() {
					}
					err = a.Err()
				}
			}
			if test.want == "" {
				must(t, err)
				return
			}
			problem(t, err, test.want)
		})
	}
	for name, says := range map[string]string{
		"Nothing": "", "Garbage": strings.Repeat("\x00\xff\x13garbage", 10000), "HTTP": "HTTP/1.1 200 OK\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			done := make(chan struct{})
			t.Cleanup(func() { l.Close(); <-done })
			go func() {
				defer close(done)
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					defer c.Close()
					c.Write([]byte(says))
				}
			}()
			began := time.Now()
			_, err = open(t, "http://"+l.Addr().String())
			var e *etcd.Error
			if !errors.As(err, &e) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
