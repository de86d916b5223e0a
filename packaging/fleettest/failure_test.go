package fleettest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/providerd/providerd/daemon/fleet/etcd"
)

// problem asserts what an error says is wrong, and that it has a hint.
func problem(t testing.TB, err error, want etcd.Problem) {
	t.Helper()
	var e *etcd.Error
	if !errors.As(err, &e) || e.Problem != want {
		t.Fatalf("%q: %v", want, err)
	}
}

func TestBus_FencesAHolderThatStoodStill(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		relay := newRelay(t, c.servers[0].url)
		o := c.quick("a")
		o.Endpoints = []string{relay.url}
		a, _ := c.open(c.bus(o), "a")
		b, _ := c.member("b")
		epoch, won, err := a.Claim(brief(t), "claim/1", []byte("a"))
		if !won || err != nil {
			t.Fatal(won, err)
		}
		if _, held, err := a.PutFenced(brief(t), "claim/1", epoch, "row/1", []byte("by a")); !held || err != nil {
			t.Fatal(held, err)
		}
		relay.hold() // nothing of a's arrives any more
		for c.sees(b, "claim/1").Value != nil {
		}
		second, won, err := b.Claim(brief(t), "claim/1", []byte("b"))
		if !won || err != nil || second <= epoch {
			t.Fatal(second, won, err)
		}
		if _, held, err := b.PutFenced(brief(t), "claim/1", epoch, "row/1", []byte("late")); held || err != nil {
			t.Fatalf("a write with the epoch that is over: held %v, %v", held, err)
		}
		if _, held, err := b.PutFenced(brief(t), "claim/1", second, "row/1", []byte("by b")); !held || err != nil {
			t.Fatal(held, err)
		}
		err = c.ended(a)
		problem(t, err, etcd.Silent)
		if _, _, err := a.PutFenced(brief(t), "claim/1", epoch, "row/1", []byte("late")); err == nil {
			t.Fatal("a session that is over wrote")
		}
	})
}

// The process of a member is stopped for longer than its lease lasts. This one is a child.
func TestBus_EndsAfterItsProcessWasStopped(t *testing.T) {
	t.Parallel()
	c := start(t, newest(), 1, "a", "b")
	b, _ := c.member("b")
	child := c.child("a", "claim/1", "row/1")
	if change := c.sees(b, "row/1"); string(change.Value) != "from the child" {
		t.Fatalf("%+v", change)
	}
	child.signal(syscall.SIGSTOP)
	for c.sees(b, "claim/1").Value != nil {
	}
	epoch, won, err := b.Claim(brief(t), "claim/1", []byte("b"))
	if !won || err != nil {
		t.Fatal(won, err)
	}
	child.signal(syscall.SIGCONT)
	if said := child.wait(); !strings.Contains(said, string(etcd.LeaseGone)) {
		t.Errorf("the child's session did not end because its lease is gone:\n%s", said)
	}
	c.admin(func(ctx context.Context, root *clientv3.Client) {
		rows, err := root.Get(ctx, prefix+"row/1") // the child's ended with its lease
		must(t, err)
		for _, row := range rows.Kvs {
			t.Errorf("the child wrote at revision %d, but the claim is b's since %d", row.ModRevision, epoch)
		}
	})
}

func TestBus_OutlivesARestartOfItsOneServer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		o := c.quick("a")
		o.TTL, o.Unanswered = 15*time.Second, 7*time.Second
		a, _ := c.open(c.bus(o), "a")
		c.servers[0].restart()
		p := c.quick("b")
		p.TTL, p.Unanswered = 15*time.Second, 7*time.Second
		b, _ := c.open(c.bus(p), "b")
		_, err := b.Put(brief(t), "row/1", []byte("after"), false)
		must(t, err)
		if change := c.sees(a, "row/1"); string(change.Value) != "after" {
			t.Fatalf("%+v", change)
		}
		if err := a.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBus_MovesToAnotherServer(t *testing.T) {
	t.Parallel()
	c := start(t, newest(), 3, "a", "b")
	a, _ := c.member("a")
	b, _ := c.member("b")
	for i, s := range c.servers { // each in turn, so that also the one in use
		s.kill()
		key := fmt.Sprint("row/", i)
		c.until("a write without "+s.name, func() error {
			_, err := b.Put(brief(t), key, []byte("x"), false)
			return err
		})
		if change := c.sees(a, key); string(change.Value) != "x" {
			t.Fatalf("%+v", change)
		}
		s.start()
	}
}

func TestBus_EndsWithoutAMajority(t *testing.T) {
	t.Parallel()
	c := start(t, newest(), 3, "a")
	o := c.quick("a")
	o.TTL = 15 * time.Second
	b := c.bus(o)
	a, _ := c.open(b, "a")
	c.servers[0].kill()
	c.servers[1].kill()
	began := time.Now()
	err := c.ended(a)
	var e *etcd.Error
	if !errors.As(err, &e) || e.Problem != etcd.NoLeader && e.Problem != etcd.Silent && e.Problem != etcd.Unreachable {
		t.Fatal(err)
	}
	if took := time.Since(began); took > o.TTL {
		t.Errorf("it took %v, longer than the lease", took)
	}
	if _, err := b.Open(brief(t), "members/a", nil); err == nil {
		t.Fatal("a session without a majority")
	}
	c.servers[0].start()
	c.open(b, "a") // though the lease of before has time left
}

func TestBus_ComesBackAfterAllServersWereGone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a")
		b := c.bus(c.quick("a"))
		a, _ := c.open(b, "a")
		_, err := a.Put(brief(t), "row/1", []byte("kept"), false)
		must(t, err)
		c.servers[0].kill()
		problem(t, c.ended(a), etcd.Unreachable)
		_, err = b.Open(brief(t), "members/a", nil)
		problem(t, err, etcd.Unreachable)
		c.servers[0].start()
		_, first := c.open(b, "a")
		if len(first.Changes) != 2 || first.Changes[1].Key != "row/1" {
			t.Fatalf("%+v", first)
		}
	})
}

func TestBus_EndsWhenItsLeaseIsGone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a")
		a, first := c.member("a")
		c.admin(func(ctx context.Context, root *clientv3.Client) {
			_, err := root.Revoke(ctx, clientv3.LeaseID(first.Changes[0].Lease))
			must(t, err)
		})
		problem(t, c.ended(a), etcd.LeaseGone)
	})
}

func TestBus_EndsWhenItsRoleIsRevoked(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		o := c.quick("a")
		o.Verify = 500 * time.Millisecond
		b := c.bus(o)
		a, _ := c.open(b, "a")
		other, _ := c.member("b")
		c.admin(func(ctx context.Context, root *clientv3.Client) {
			_, err := root.UserRevokeRole(ctx, "a", "fleet")
			must(t, err)
		})
		problem(t, c.ended(a), etcd.NoPermission)
		_, err := b.Open(brief(t), "members/a", nil)
		problem(t, err, etcd.NoPermission)
		if err := other.Err(); err != nil {
			t.Errorf("the other member: %v", err)
		}
	})
}

func TestBus_SaysWhatIsWrongWithAccess(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a")
		stranger := newAuthority(t, t.TempDir())
		expired := c.authority.in(t.TempDir()).client("a", -time.Minute)
		foreign := stranger.client("a", time.Hour)
		good := c.authority.client("a", time.Hour)
		ca := c.authority.file()
		for _, test := range []struct {
			name   string
			change func(*etcd.Options)
			want   etcd.Problem
		}{
			{"our certificate has expired", func(o *etcd.Options) { o.TLS = etcd.Files(ca, expired.cert, expired.key) }, etcd.OurCertExpired},
			{"our certificate is of another authority", func(o *etcd.Options) { o.TLS = etcd.Files(ca, foreign.cert, foreign.key) }, etcd.OurCertRefused},
			{"its certificate is of another authority", func(o *etcd.Options) { o.TLS = etcd.Files(stranger.file(), good.cert, good.key) }, etcd.TheirCert},
			{"no such file", func(o *etcd.Options) { o.TLS = etcd.Files(ca, good.cert+".gone", good.key) }, etcd.OurFiles},
			{"no such user", func(o *etcd.Options) { o.TLS = c.files("nobody") }, etcd.NoPermission},
			{"no name in the certificate", func(o *etcd.Options) { o.TLS = c.files("") }, etcd.NoUser},
			{"another fleet's prefix", func(o *etcd.Options) { o.Prefix = "/providerd/v1/other/" }, etcd.NoPermission},
			{"nothing listens", func(o *etcd.Options) {
				o.Endpoints = []string{fmt.Sprintf("https://127.0.0.1:%d", port(t))}
			}, etcd.Unreachable},
			{"without TLS", func(o *etcd.Options) { o.Endpoints[0] = strings.Replace(o.Endpoints[0], "https", "http", 1) }, etcd.Unreachable},
		} {
			o := c.quick("a")
			test.change(&o)
			_, err := c.bus(o).Open(brief(t), "members/a", nil)
			t.Logf("%s: %v", test.name, err)
			var known *etcd.Error
			if !errors.As(err, &known) || known.Problem != test.want {
				t.Errorf("%s: want %q: %v", test.name, test.want, err)
			} else if known.Hint() == "" {
				t.Errorf("%s: no hint", test.name)
			}
		}
	})
}

func TestBus_UsesARenewedCertificate(t *testing.T) {
	t.Parallel()
	c := start(t, newest(), 1, "a")
	o := c.quick("a")
	files := c.authority.client("a", -time.Minute)
	o.TLS = etcd.Files(c.authority.file(), files.cert, files.key)
	b := c.bus(o)
	_, err := b.Open(brief(t), "members/a", nil)
	problem(t, err, etcd.OurCertExpired)
	c.authority.client("a", time.Hour) // the same files
	c.open(b, "a")
}

func TestBus_ReadsAllAgainAfterACompaction(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		relay := newRelay(t, c.servers[0].url)
		o := c.quick("a")
		o.Endpoints, o.TTL, o.Unanswered = []string{relay.url}, 15*time.Second, 10*time.Second
		a, _ := c.open(c.bus(o), "a")
		b, _ := c.member("b")
		relay.refuse()
		_, err := b.Put(brief(t), "row/1", []byte("missed"), false)
		must(t, err)
		newest, err := b.Put(brief(t), "row/2", []byte("kept"), false)
		must(t, err)
		must(t, b.Delete(brief(t), "row/1"))
		c.admin(func(ctx context.Context, root *clientv3.Client) {
			_, err := root.Compact(ctx, newest+1)
			must(t, err)
		})
		relay.allow()
		for {
			batch := c.next(a)
			if !batch.All {
				continue // b's own key, before the relay refused
			}
			var keys []string
			for _, change := range batch.Changes {
				keys = append(keys, change.Key)
			}
			if got := strings.Join(keys, " "); got != "members/a members/b row/2" {
				t.Fatal(got)
			}
			break
		}
		_, err = b.Put(brief(t), "row/3", []byte("later"), false)
		must(t, err)
		c.sees(a, "row/3")
	})
}

// child is a process that claims and writes, and tells what became of it.
func (c *cluster) child(member, claim, key string) *process {
	c.t.Helper()
	files := c.authority.client(member, time.Hour)
	return run1(c.t, "bus", c.servers[0].url, c.authority.file(), files.cert, files.key, member, claim, key)
}

// bePartOfAFleet is the role "bus".
func bePartOfAFleet(url, ca, cert, key, member, claim, row string) error {
	b, err := etcd.New(etcd.Options{
		Endpoints: []string{url}, TLS: etcd.Files(ca, cert, key), Prefix: prefix,
		TTL: 3 * time.Second, KeepAlive: 500 * time.Millisecond, Unanswered: 2 * time.Second,
	})
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := b.Open(ctx, "members/"+member, nil)
	if err != nil {
		return err
	}
	epoch, _, err := s.Claim(ctx, claim, []byte(member))
	if err != nil {
		return err
	}
	go func() {
		for range s.Batches() {
		}
		fmt.Println(s.Err())
		cancel()
	}()
	for ctx.Err() == nil { // it writes all the time until the session is over
		_, _, _ = s.PutFenced(ctx, claim, epoch, row, []byte("from the child")) // the test looks at what came of it
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
