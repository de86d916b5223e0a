package page

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A fleetView is the view of the machines that share probes with this one.
type fleetView struct {
	*frame
	Mode    provider.FleetMode
	Tone    string // of the mode
	Line    string // this machine's part
	Since   provider.Time
	Hint    string
	Remarks []string
	Facts   [][2]string

	Members  fleetTable
	Shared   fleetTable
	Unshared []provider.FleetUnshared
	Servers  []fleetServer // of the other machines
	More     []string      // how many servers of which machine are left out
}

type fleetTable struct {
	Titles []string
	Rows   []fleetRow
}

type fleetRow struct {
	ID    string
	Link  bool // the ID is of a provider of this machine
	Cells []fleetCell
}

// A fleetCell is a text or, if there is one, a time, which runs in the page.
type fleetCell struct {
	Text string
	Ago  provider.Time
}

// A fleetServer is a server of another machine.
type fleetServer struct {
	ID, Reason, Latency, Models, Endpoint, Hint string
	State                                       provider.State
	Stale                                       bool
	Checked, Until                              provider.Time
}

func (s *site) fleet(r *http.Request, f *frame) (any, error) {
	reply, err := s.Client.Fleet(r.Context())
	if err != nil {
		return nil, err
	}
	now := f.Now
	if !reply.TS.IsZero() {
		now = reply.TS.Time
	}
	v := &fleetView{
		frame: f, Mode: reply.Mode, Tone: toneOfFleet(reply.Mode), Since: reply.Since, Hint: s.spell(reply.Hint), Remarks: ctl.FleetRemarks(reply, now),
		Members: fleetTable{Titles: ctl.FleetMemberTitles}, Shared: fleetTable{Titles: ctl.FleetSharedTitles}, Unshared: reply.NotShared,
	}
	timeless := *reply
	timeless.Since = provider.Time{} // it is beside the line
	v.Line = ctl.FleetLine(&timeless, now)
	if reply.Mode != provider.FleetOff {
		v.Facts = fleetFacts(reply, f.Now)
	}
	for i := range reply.Members {
		m := &reply.Members[i]
		cells := v.Members.cells(ctl.FleetMemberCells(m), "SINCE", before(now, m.JoinedS, time.Second))
		v.Members.Rows = append(v.Members.Rows, fleetRow{ID: m.Member, Cells: cells})
	}
	for i := range reply.Shared {
		p := &reply.Shared[i]
		cells := v.Shared.cells(ctl.FleetSharedCells(p), "AGE", before(now, p.AgeMS, time.Millisecond))
		v.Shared.Rows = append(v.Shared.Rows, fleetRow{ID: p.ID, Link: true, Cells: cells})
	}
	v.addServers(reply)
	return v, nil
}

// before is a time that was so many units ago; zero if that is not known.
func before(now time.Time, n *int64, unit time.Duration) provider.Time {
	if n == nil {
		return provider.Time{}
	}
	return provider.Time{Time: now.Add(-time.Duration(*n) * unit)}
}

// cells are texts, of which the one below a title is a time.
func (t *fleetTable) cells(texts []string, title string, at provider.Time) []fleetCell {
	cells := make([]fleetCell, len(texts))
	for i, text := range texts {
		cells[i].Text = text
	}
	timed := &cells[slices.Index(t.Titles, title)]
	timed.Text, timed.Ago = strings.TrimSuffix(timed.Text, " ago"), at // as the scripts write it
	return cells
}

func (v *fleetView) addServers(reply *provider.FleetReply) {
	for _, s := range ctl.RemoteRows(reply) {
		server := fleetServer{
			ID: s.ID, State: s.State, Reason: string(s.Reason), Latency: ctl.Latency(s.LatencyMS), Endpoint: cutText(s.Endpoint, mostStory),
			Hint: cutText(ctl.Advice(&s, v.Now), mostHint), Stale: s.Stale, Checked: s.CheckedAt, Models: "-",
		}
		if s.RetryAt.After(v.Now) {
			server.Until = s.RetryAt
		}
		if s.ModelsCount != nil {
			server.Models = strconv.Itoa(*s.ModelsCount)
		}
		v.Servers = append(v.Servers, server)
	}
	for i := range reply.Hosts {
		if h := &reply.Hosts[i]; h.More > 0 {
			v.More = append(v.More, "and "+strconv.Itoa(h.More)+" more on "+h.Member)
		}
	}
}

// fleetFacts are the names and values of what is known of this machine's part.
func fleetFacts(r *provider.FleetReply, now time.Time) [][2]string {
	facts := [][2]string{{"Fleet", r.Name}, {"Member", r.Member}, {"Trust", r.Trust}, {"etcd", strings.Join(r.Endpoints, ", ")}}
	if !r.CertificateExpires.IsZero() {
		facts = append(facts, [2]string{"Certificate", "until " + ctl.Clock(r.CertificateExpires, now)})
	}
	c := &r.Counters
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	facts = append(facts,
		[2]string{"Writes", number(c.Writes) + ", " + number(c.Fenced) + " refused because another had become the prober"},
		[2]string{"Claims", number(c.Claims)},
		[2]string{"Own checks", number(c.OwnChecks)},
		[2]string{"Alone", number(c.Alone) + " times"},
	)
	if c.Refused > 0 {
		facts = append(facts, [2]string{"Not believed", number(c.Refused) + " values of other members"})
	}
	return slices.DeleteFunc(facts, func(fact [2]string) bool { return fact[1] == "" })
}

// toneOfFleet is the class of a mode's colour.
func toneOfFleet(mode provider.FleetMode) string {
	switch mode {
	case provider.FleetOK:
		return "running"
	case provider.FleetConnecting:
		return "starting"
	case provider.FleetAlone:
		return "degraded"
	}
	return "unknown"
}
