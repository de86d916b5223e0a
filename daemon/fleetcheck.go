package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/etcd"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A Finding is the result of one step of [CheckFleet].
type Finding struct {
	What string
	Bad  bool   // the fleet cannot be used, or not safely
	Hint string // what to do; "": nothing
}

// fleetCheck is one run of CheckFleet. The keys it makes are gone after a lease's time at most.
type fleetCheck struct {
	f    *config.Fleet
	name string // of its keys
	say  func(Finding)
}

// CheckFleet tries what a member of the fleet needs of etcd, and reports each step at once. It
// needs no daemon, and does not disturb one. The result is whether the fleet, which cfg must have,
// can be used.
func CheckFleet(ctx context.Context, cfg *config.Config, say func(Finding)) (good bool) {
	good = true
	c := &fleetCheck{f: cfg.Fleet, name: "check/" + rand.Text(), say: func(found Finding) {
		good = good && !found.Bad
		say(found)
	}}
	for _, fault := range cfg.Faults {
		if cfg.FleetHas(fault) {
			c.say(Finding{What: fault.Message, Bad: true, Hint: fault.Fix})
		}
	}
	if len(cfg.Fleet.Faults) > 0 {
		return good
	}
	c.certificate(time.Now())
	if c.endpoints(ctx) {
		c.role(ctx)
		c.outside(ctx)
	}
	return good
}

// fleetPrefix is what all keys of a fleet begin with.
func fleetPrefix(f *config.Fleet) string { return "/providerd/v1/" + f.Name + "/" }

// fleetBus connects to etcd with the fleet's certificates. limit is that of each call; 0: the
// default.
func fleetBus(f *config.Fleet, prefix string, limit time.Duration, endpoints ...string) (*etcd.Bus, error) {
	return etcd.New(etcd.Options{Endpoints: endpoints, TLS: fleetTLS(f), Prefix: prefix, Call: limit})
}

// checkPatience is how long a call of [CheckFleet] may take. A slow disk of etcd's is no reason to
// say that the fleet cannot be used.
const checkPatience = 10 * time.Second

// fleetTLS reads the certificates for each connection.
func fleetTLS(f *config.Fleet) func() (*tls.Config, error) {
	if f.CAFile != "" && f.CertFile != "" {
		return etcd.Files(f.CAFile, f.CertFile, f.KeyFile)
	}
	return func() (*tls.Config, error) {
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if f.CertFile == "" {
			return c, nil
		}
		pair, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
		c.Certificates = []tls.Certificate{pair}
		return c, err
	}
}

// certificate says for how long the member's certificate is valid.
func (c *fleetCheck) certificate(now time.Time) {
	if c.f.CertFile == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.f.CertFile, c.f.KeyFile)
	if err != nil {
		c.say(Finding{What: "certificate: " + err.Error(), Bad: true, Hint: "correct cert_file and key_file in [fleet]"})
		return
	}
	const dated = "2006-01-02 15:04 MST"
	name := "certificate of " + provider.Printable(c.f.Member)
	from, to := pair.Leaf.NotBefore.Local(), pair.Leaf.NotAfter.Local()
	renew := "put a new one into cert_file and key_file of [fleet]; a daemon uses it for the next connection"
	switch left := to.Sub(now); {
	case now.Before(from):
		c.say(Finding{What: name + ": not valid before " + from.Format(dated), Bad: true, Hint: "check the clock of this machine, or make a certificate that is valid now"})
	case left <= 0:
		c.say(Finding{What: name + ": expired on " + to.Format(dated), Bad: true, Hint: renew})
	case left < provider.FleetCertificateSoon:
		c.say(Finding{What: name + ": expires soon, on " + to.Format(dated), Hint: renew})
	default:
		c.say(Finding{What: name + ": valid until " + to.Format(dated)})
	}
}

// endpoints tries each of them on its own; one is enough.
func (c *fleetCheck) endpoints(ctx context.Context) (some bool) {
	var bad []Finding
	for _, endpoint := range c.f.Endpoints {
		began := time.Now()
		err := c.with(ctx, fleetPrefix(c.f), []string{endpoint}, func(bus.Session) error { return nil })
		if err != nil {
			bad = append(bad, problem(endpoint+": ", err))
			continue
		}
		some = true
		c.say(Finding{What: fmt.Sprintf("%s: reached, a lease made, a key written and read in %s", endpoint, time.Since(began).Round(time.Millisecond))})
	}
	for _, found := range bad {
		found.Bad = !some
		c.say(found)
	}
	return some
}

// problem is a finding about an error.
func problem(before string, err error) Finding {
	found := Finding{What: before + err.Error(), Bad: true, Hint: provider.HintOf(err)}
	if of := (*etcd.Error)(nil); errors.As(err, &of) && of.Endpoint != "" {
		found.What = err.Error() // it names the endpoint
	}
	return found
}

// with opens a session with a key of its own for as long as f runs.
func (c *fleetCheck) with(ctx context.Context, prefix string, endpoints []string, f func(bus.Session) error) error {
	b, err := fleetBus(c.f, prefix, checkPatience, endpoints...)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s, err := b.Open(ctx, c.name, []byte("{}"))
	if err != nil {
		return err
	}
	return cmp.Or(f(s), s.Close(ctx))
}

// checkWait is how long the key lasts by which the clock of leases is tried.
const checkWait = 30 * time.Second

// role reads what is there: whose the member's name is, and for how long a lease lasts.
func (c *fleetCheck) role(ctx context.Context) {
	timed := c.name + "-lease"
	err := c.with(ctx, fleetPrefix(c.f), c.f.Endpoints, func(s bus.Session) error {
		if _, err := s.PutFor(ctx, timed, []byte("{}"), checkWait); err != nil {
			return err
		}
		put := time.Now()
		members, lease, err := c.read(ctx, s, timed)
		if err != nil {
			return err
		}
		c.say(c.nameFinding(members[c.f.Member]))
		if found := c.keyFinding(members); found.What != "" {
			c.say(found)
		}
		left, err := s.Left(ctx, lease)
		if err != nil {
			return err
		}
		if off := checkWait - time.Since(put) - left; off.Abs() > 3*time.Second {
			c.say(Finding{What: fmt.Sprintf("etcd's leases do not last as long as they should: %s of %s are left", left, checkWait), Bad: true,
				Hint: "check the clock and the load of etcd's servers"})
		} else {
			c.say(Finding{What: "leases last as long as they should"})
		}
		return s.Delete(ctx, timed)
	})
	if err != nil {
		c.say(problem("", err))
	}
}

// read waits for a key that was written, and returns its lease, and what the members say of
// themselves.
func (c *fleetCheck) read(ctx context.Context, s bus.Session, key string) (members map[string]*wire.Member, lease int64, err error) {
	members = map[string]*wire.Member{}
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	for {
		select {
		case batch, open := <-s.Batches():
			if !open {
				return nil, 0, cmp.Or(s.Err(), errors.New("the session ended"))
			}
			for _, change := range batch.Changes {
				if change.Key == key {
					return members, change.Lease, nil
				}
				if k, ok := wire.ParseKey(change.Key); ok && k.Kind == wire.Members && k.Part == 0 && change.Value != nil {
					if m, err := wire.ParseMember(change.Value); err == nil || k.Member == c.f.Member {
						members[k.Member] = &m
					}
				}
			}
		case <-late.C:
			return nil, 0, errors.New("what was written could not be read back within 5 s")
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// nameFinding says whose the member's name is.
func (c *fleetCheck) nameFinding(member *wire.Member) Finding {
	name := provider.Printable(c.f.Member)
	if member == nil {
		return Finding{What: "member " + name + ": the name is free"}
	}
	host, _ := os.Hostname()
	switch member.Host {
	case "": // it is none that can be shown
		return Finding{What: "member " + name + ": it is in the fleet, on a machine whose name is not known"}
	case host:
		return Finding{What: "member " + name + ": it is in the fleet, on a machine called " + provider.Printable(host) + " as this one is"}
	}
	return Finding{
		What: fmt.Sprintf("member %s: another machine has that name, %s", name, provider.Printable(member.Host)), Bad: true,
		Hint: "give one of them another certificate, or set member in [fleet]",
	}
}

// keyFinding says whether the other members have the same fleet's key as this machine; it is empty
// if none says which it has.
func (c *fleetCheck) keyFinding(members map[string]*wire.Member) Finding {
	own := wire.KeyTag(c.f.Key)
	same, odd := 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch key := members[name].Key; {
		case name == c.f.Member, key == wire.Tag{}: // this machine's daemon, or it does not say
		case key == own:
			same++
		default:
			odd = append(odd, name)
		}
	}
	switch {
	case len(odd) == 0 && same == 0:
		return Finding{}
	case len(odd) == 0:
		return Finding{What: "fleet_key: the other members have the same one"}
	}
	return Finding{
		What: "fleet_key: another one than that of " + provider.SomeOf(odd) + ", so nothing is shared with them", Bad: same == 0,
		Hint: "give all members the same file, and name it as fleet_key_file",
	}
}

// outside tries to write where the role must not let us.
func (c *fleetCheck) outside(ctx context.Context) {
	err := c.with(ctx, "/providerd-check/", c.f.Endpoints, func(bus.Session) error { return nil })
	var refused *etcd.Error
	switch {
	case errors.As(err, &refused) && refused.Problem == etcd.NoPermission:
		c.say(Finding{What: "etcd refuses what is not the fleet's"})
	case err != nil:
		c.say(problem("outside of the fleet's keys: ", err))
	default:
		c.say(Finding{
			What: "this member can write keys that are not the fleet's",
			Hint: "turn on etcd's authentication, with a role for " + fleetPrefix(c.f) + " only",
		})
	}
}
