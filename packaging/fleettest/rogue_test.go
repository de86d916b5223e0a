package fleettest

import (
	"context"
	"encoding/base64"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/etcd"
	"github.com/providerd/providerd/daemon/fleet/wire"
)

// A rogue has all that a member has: a certificate, the role and the fleet's key. It writes
// what it likes, with etcd's own client.
type rogue struct {
	t      testing.TB
	client *clientv3.Client
	ctx    context.Context
	lease  clientv3.LeaseID // lasts as long as the test
	cloud  wire.Identity    // of the provider "cloud"
}

// rogue lets a hostile member join, which lists cloud.
func (l *lab) rogue() *rogue {
	l.t.Helper()
	const name = "rogue"
	l.users(name)
	files := l.authority.client(name, time.Hour)
	secure, err := etcd.Files(l.authority.file(), files.cert, files.key)()
	must(l.t, err)
	h := l.host(name)
	client, err := clientv3.New(clientv3.Config{
		Endpoints: l.endpoints(), TLS: secure, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(h.dial)},
	})
	must(l.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	l.t.Cleanup(func() { cancel(); client.Close() })
	lease, err := client.Grant(ctx, 3600)
	must(l.t, err)
	r := &rogue{t: l.t, client: client, ctx: ctx, lease: lease.ID, cloud: l.identity()}
	r.put(wire.Members+name, wire.EncodeMember(wire.Member{Host: name, Version: "1", Tags: []wire.Tag{r.cloud.FP.Tag()}})[0], r.lease)
	return r
}

// identity is how the fleet names the provider "cloud".
func (l *lab) identity() wire.Identity {
	l.t.Helper()
	text, err := os.ReadFile(l.key)
	must(l.t, err)
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(text)))
	must(l.t, err)
	return wire.Identify(key, &config.Provider{ID: "cloud", Kind: "openai-compatible", BaseURL: l.vendor.url, Key: config.NewSecret(l.secret)})
}

func (r *rogue) claimKey() string   { return wire.Claims + r.cloud.FP.String() }
func (r *rogue) rowKey() string     { return wire.Rows + r.cloud.FP.String() }
func (r *rogue) limitKey() string   { return wire.Limits + r.cloud.Limit.String() }
func (r *rogue) refreshKey() string { return wire.Refresh + r.cloud.FP.String() }

// put writes a key below the fleet's prefix. 0 is no lease.
func (r *rogue) put(key string, value []byte, lease clientv3.LeaseID) {
	r.t.Helper()
	_, err := r.client.Put(r.ctx, prefix+key, string(value), clientv3.WithLease(lease))
	must(r.t, err)
}

// lie writes a row of cloud.
func (r *rogue) lie(row wire.Row) {
	r.t.Helper()
	row.By, row.State = "rogue", row.Reason.Meaning().State
	r.put(r.rowKey(), row.Encode(), 0)
}

// steal takes the claim of cloud from whoever has it.
func (r *rogue) steal() (epoch int64) {
	r.t.Helper()
	key, value := prefix+r.claimKey(), string(wire.Claim{Member: "rogue"}.Encode())
	eventually(r.t, "the claim is stolen", func() bool {
		_, err := r.client.Delete(r.ctx, key)
		must(r.t, err)
		done, err := r.client.Txn(r.ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
			Then(clientv3.OpPut(key, value, clientv3.WithLease(r.lease))).Commit()
		must(r.t, err)
		epoch = done.Header.Revision
		return done.Succeeded
	})
	return epoch
}

// leave ends all that has its lease.
func (r *rogue) leave() {
	r.t.Helper()
	_, err := r.client.Revoke(r.ctx, r.lease)
	must(r.t, err)
}

// storm writes with several goroutines until it is stopped, which returns the number of
// writes. What etcd refuses does not count.
func (r *rogue) storm(writers int, write func(n int64) (key string, value []byte)) (stop func() int64) {
	ctx, cancel := context.WithCancel(r.ctx)
	var n, written atomic.Int64
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for ctx.Err() == nil {
				key, value := write(n.Add(1))
				if _, err := r.client.Put(ctx, prefix+key, string(value)); err == nil {
					written.Add(1)
				}
			}
		})
	}
	stop = sync.OnceValue(func() int64 {
		cancel()
		running.Wait()
		return written.Load()
	})
	r.t.Cleanup(func() { stop() })
	return stop
}
