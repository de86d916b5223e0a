package judge

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A model is the judge as docs/reasons.md and docs/api.md describe it, in one place and
// without regard for cost. It knows no details.
type model struct {
	p      *config.Provider
	state  provider.State
	reason provider.Reason
	told   told
	own    provider.State // the last that was known, whatever users said
	doubt  *provider.Doubt

	found         provider.Reason // by probes, often enough
	retryAt       time.Time
	doubts, goods int
	slows         int  // answers in a row
	empty         bool // it lists no model
	well          bool // ever
	broke         bool // the last probe did
	met           *provider.Reported
	believed      provider.Reason // of what was met
	vendor        bool            // reports an outage
	cut           bool            // this machine, from the provider
	paused        bool
	resumed       bool // and nobody looked since

	toldFound provider.Reason // by another member of the fleet
	disputed  bool            // we found something else
	holdUntil time.Time       // another member was told to wait
	checkedAt time.Time

	claimed      provider.Reason // by a user
	since, until time.Time       // when that is believed
}

func newModel(p *config.Provider) *model {
	return &model{
		p: p, state: provider.StateUnknown, reason: provider.NotChecked,
		told: told{provider.StateUnknown, provider.NotChecked}, own: provider.StateUnknown,
	}
}

func (m *model) heldUntil() time.Time {
	if m.met == nil {
		return time.Time{}
	}
	return m.met.RetryAt.Time
}

func (m *model) held(now time.Time) bool { return m.heldUntil().After(now) }

func (m *model) probe(o *probe.Observation, machine MachineState) {
	rise, fall := m.p.Rise, m.p.Fall
	overrules := m.believed != "" && m.believed != m.found
	switch {
	case m.cut:
		rise = 1
	case overrules || m.found == "":
		rise, fall = 1, 1
	}
	certain := settles(o, m.p)
	if o.Refusal {
		if certain = !m.well && definite(o.Saw, o.RetryAt, m.p); !certain {
			fall = m.p.Fall
		}
	}
	switch {
	case o.Saw == provider.ProbeFailed:
	case o.Saw.Healthy():
		m.goods, m.doubts, m.well = m.goods+1, 0, true
	case certain:
		m.goods, m.doubts = 0, 0
	default:
		m.goods, m.doubts = 0, m.doubts+1
	}
	found := m.learn(o, certain)
	if m.checkedAt = o.Began; !m.holdUntil.After(o.Began) {
		m.holdUntil = time.Time{}
	}
	if machine == MachineInDoubt {
		m.doubt, m.broke = &provider.Doubt{Saw: o.Saw}, false
		return
	}
	if m.met != nil && o.Saw != provider.ProbeFailed {
		switch {
		case !m.held(o.Began):
			m.met, m.believed = nil, ""
		case o.Saw.Healthy():
			m.believed = m.met.Reason
		default:
			m.believed = ""
		}
	}
	if machine == MachineOut {
		m.outage()
		return
	}
	m.broke = o.Saw == provider.ProbeFailed
	switch {
	case m.broke:
		return
	case found == m.found:
		m.settle(found, o)
	case found.Healthy() && m.goods < rise && !m.found.Healthy():
		m.doubt = &provider.Doubt{Saw: o.Saw, Count: m.goods, Of: rise}
		if m.believed != "" { // a good answer proves nothing about what the caller met
			m.doubt = nil
		}
	case !o.Saw.Healthy() && !certain && m.doubts < fall:
		m.doubt = &provider.Doubt{Saw: o.Saw, Count: m.doubts, Of: fall}
	default:
		m.settle(found, o)
	}
}

// learn is what a probe found, with what it learned of models and slowness.
func (m *model) learn(o *probe.Observation, certain bool) provider.Reason {
	switch {
	case o.Saw == provider.ProbeFailed:
	case !o.Saw.Healthy() || o.Latency <= m.p.SlowAfter:
		m.slows = 0
	default:
		m.slows++
		if m.found == provider.Slow { // it is there, and not better
			m.goods = 0
		}
	}
	switch {
	case o.Saw == provider.ConnectionRefused, o.Saw == provider.WrongService && (certain || m.doubts >= m.p.Fall):
		m.empty = false
	case o.Facts.Models != nil:
		m.empty = len(o.Facts.Models) == 0
	}
	switch {
	case o.Saw.Healthy() && m.empty:
		return provider.NoModels
	case o.Saw.Healthy() && m.slows >= m.p.Fall:
		return provider.Slow
	}
	return o.Saw
}

func (m *model) settle(found provider.Reason, o *probe.Observation) {
	m.doubt, m.found, m.retryAt = nil, found, o.RetryAt
	m.cut, m.resumed = false, false
	m.disputed = m.toldFound != "" && !agree(m.toldFound, found)
}

// tell takes what another member found, unless we know better.
func (m *model) tell(t *Told) bool {
	if m.paused || m.met != nil || t.At.Before(m.checkedAt) {
		return false
	}
	found := t.Reason
	if found.Healthy() && m.empty {
		found = provider.NoModels
	}
	m.toldFound = found
	if m.disputed = m.disputed && !agree(found, m.found); m.disputed {
		return false
	}
	m.doubt, m.broke, m.cut, m.resumed, m.doubts, m.goods, m.slows = nil, false, false, false, 0, 0, 0
	m.found, m.retryAt, m.checkedAt, m.well = found, t.RetryAt, t.At, m.well || t.Reason.Healthy()
	return true
}

func (m *model) report(o *probe.Observation) {
	if m.held(o.Began) && o.RetryAt.IsZero() {
		return
	}
	counted := m.met != nil && m.met.RetryAt.IsZero() && !definite(m.met.Reason, time.Time{}, m.p)
	m.met = &provider.Reported{Reason: o.Saw, RetryAt: provider.Time{Time: o.RetryAt}}
	if m.paused || m.reason == provider.NoCredentials {
		return
	}
	m.goods = 0
	certain := settles(o, m.p)
	if !certain && !counted {
		m.doubts++
	}
	fall := m.p.Fall
	if m.found == "" && m.believed == "" && !m.cut {
		fall = 1
	}
	if !certain && m.doubt != nil && m.doubt.Of == 0 {
		return // this machine may be to blame
	}
	if !certain && o.Saw != m.reason && m.doubts < fall {
		m.doubt = &provider.Doubt{Saw: o.Saw, Count: m.doubts, Of: fall}
		return
	}
	m.doubt, m.believed = nil, o.Saw
	m.cut, m.resumed, m.broke = false, false, false
}

func (m *model) outage() {
	m.cut, m.broke, m.found, m.disputed = true, false, "", false
	m.doubt, m.doubts = nil, 0
}

func (m *model) pause(paused bool, now time.Time) {
	m.paused, m.resumed = paused, !paused
	m.cut, m.broke, m.doubt = false, false, nil
	if paused {
		return
	}
	limited := m.found == provider.RateLimited && m.retryAt.After(now)
	if m.believed = ""; m.held(now) {
		m.believed = m.met.Reason
	}
	if !limited {
		m.found = ""
	}
}

// restart keeps only the row.
func (m *model) restart() {
	own := later(m.retryAt, m.holdUntil)
	if !own.After(m.heldUntil()) {
		own = time.Time{}
	}
	*m = model{
		p: m.p, state: m.state, reason: m.reason, told: m.told, own: m.own, doubt: m.doubt, met: m.met,
		retryAt: own, vendor: m.vendor, cut: m.reason == provider.Offline, paused: m.paused, well: m.well,
	}
}

// claim comes from a user, who is believed for a minute if the provider can be used.
func (m *model) claim(o *probe.Observation) {
	if o.Began.Before(m.until) {
		if usable(m.reason) && !ofTheKey(o.Saw) && definite(o.Saw, o.RetryAt, m.p) && !definite(m.claimed, time.Time{}, m.p) {
			m.claimed = o.Saw // instead of a doubt
		}
		return
	}
	if m.claimed = o.Saw; usable(m.reason) && !ofTheKey(o.Saw) && !o.Began.Before(m.since.Add(time.Minute)) {
		m.since, m.until = o.Began, o.Began.Add(time.Minute)
	}
}

// refute is a successful probe.
func (m *model) refute(o *probe.Observation) {
	if o.Saw.Healthy() && o.Ended().Before(m.until) {
		m.until = o.Ended()
	}
}

// shown is what a user's claim makes of the row.
func (m *model) shown(now time.Time) (told, *provider.Doubt) {
	is := told{m.state, m.reason}
	switch {
	case !now.Before(m.until) || !usable(m.reason):
	case definite(m.claimed, time.Time{}, m.p) || m.p.Fall == 1:
		return told{stateOf(m.claimed), m.claimed}, nil
	case m.doubt == nil:
		return is, &provider.Doubt{Saw: m.claimed, Count: 1, Of: m.p.Fall}
	}
	return is, m.doubt
}

func (m *model) rekey() {
	if m.believed != "" {
		m.found = ""
	}
	m.met, m.believed, m.retryAt = nil, "", time.Time{}
	m.toldFound, m.disputed, m.holdUntil = "", false, time.Time{}
}

func (m *model) move() {
	was := *m
	*m = *newModel(m.p)
	m.told, m.vendor, m.paused = was.told, was.vendor, was.paused
}

// derive returns what holds.
func (m *model) derive() {
	was := m.reason
	switch {
	case m.paused:
		m.reason = provider.Paused
	case m.cut:
		m.reason = provider.Offline
	case !m.holdUntil.IsZero():
		m.reason = provider.RateLimited
	case m.broke:
		m.reason = provider.ProbeFailed
	case m.doubt != nil:
	case m.believed != "":
		m.reason = m.believed
	case (m.found.Healthy() || m.found == provider.Slow) && m.vendor:
		m.reason = provider.VendorIncident
	case m.found != "":
		m.reason = m.found
	case m.resumed:
		m.reason = provider.NotChecked
	}
	if state := stateOf(m.reason); state != "" {
		m.state = state
	} else if was == provider.Offline {
		m.state = m.own
	}
	if m.reason != provider.Offline {
		m.own = m.state
	}
}

// everything is one of each message.
var everything = []message{
	sees(provider.OK), sees(provider.OK), sees(provider.OK), sees(provider.Hung), sees(provider.Hung), sees(provider.ServerError),
	sees(provider.Unauthorized), sees(provider.NoCredentials), sees(provider.ProbeFailed),
	probes(provider.RateLimited, MachineFine, 10*time.Second), probes(provider.Overloaded, MachineFine, 4*time.Second),
	probes(provider.NetworkUnreachable, MachineInDoubt, 0), probes(provider.ConnectTimeout, MachineInDoubt, 0),
	probes(provider.NetworkUnreachable, MachineOut, 0), probes(provider.Hung, MachineOut, 0),
	overtaken(provider.OK), overtaken(provider.Unauthorized), overtaken(provider.Hung),
	reports(provider.Hung, 0), reports(provider.ServerError, 0), reports(provider.Unauthorized, 0),
	claims(provider.RateLimited), claims(provider.Hung), claims(provider.Unauthorized),
	reports(provider.RateLimited, 5*time.Second), reports(provider.RateLimited, 20*time.Second), reports(provider.Hung, 5*time.Second),
	vendorSays(provider.ImpactMajor), vendorSays(provider.ImpactMinor), vendorSays(provider.ImpactNone),
	tells(provider.OK), tells(provider.Hung), tells(provider.Unauthorized), tells(provider.RateLimited), unsaying,
	holding(20 * time.Second), holding(0),
	losing, pausing(true), pausing(false), pausing(false), restarting, rekeying, moving,
	refuses(MachineFine), refuses(MachineInDoubt), sees(provider.ConnectionRefused), slow, slow, slow, lists(), lists("a"),
}

func newLife(t *testing.T, rise, fall int) *life {
	p := followed()
	p.Rise, p.Fall = rise, fall
	return &life{t: t, p: p, r: Initial(p, nil), m: newModel(p), now: t0}
}

// Whatever comes in whatever order: no older probe overrules a newer one, no outage of this
// machine becomes an event of the provider, no report outlives its time, and the row is what
// the model says.
func TestJudge_AnyOrderOfMessages(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := newLife(t, 1+random.IntN(3), 1+random.IntN(3))
		for range 30 {
			l.play(everything[random.IntN(len(everything))])
		}
	}
}

func FuzzJudge_AnyOrderOfMessages(f *testing.F) {
	f.Add([]byte{1, 1, 0, 3, 27, 3, 0})
	f.Add([]byte{1, 1, 28, 22, 29, 32, 29}) // resumed a second time, after a report was forgotten with its key
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > 200 {
			return
		}
		l := newLife(t, 1+int(data[0])%3, 1+int(data[1])%3)
		for _, b := range data[2:] {
			l.play(everything[int(b)%len(everything)])
		}
	})
}
