package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Fleet is the machines that share probes with this one. Its methods do not wait for anything
// outside this machine.
type Fleet interface {
	Fleet() provider.FleetReply
	// Mode is the reply's, for less work.
	Mode() provider.FleetMode
	// Changed is closed when the mode, the members, who probes what or another machine's
	// servers change next. Ages change all the time, and do not count.
	Changed() <-chan struct{}
}

// fleet answers GET /api/fleet.
func (s *Server) fleet(c *call) *provider.Error {
	reply := provider.NoFleet()
	if s.fleetOf != nil {
		reply = s.fleetOf.Fleet()
	}
	reply.TS = provider.Time{Time: time.Now()}
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}

// fleetPace is the least time between two lines about the fleet in a stream.
const fleetPace = time.Second

// A fleetWatch tells one follower of events that the fleet changed. Its zero value never does.
type fleetWatch struct {
	fleet   Fleet
	changed <-chan struct{}
	told    time.Time
}

func watchFleet(f Fleet) fleetWatch {
	if f == nil {
		return fleetWatch{}
	}
	return fleetWatch{fleet: f, changed: f.Changed()}
}

// next is for the next change that may be told. Stop frees its timer.
func (w *fleetWatch) next() (more <-chan struct{}, soon <-chan time.Time, stop func()) {
	wait := fleetPace - time.Since(w.told)
	if w.changed == nil || wait <= 0 {
		return w.changed, nil, func() {}
	}
	timer := time.NewTimer(wait)
	return nil, timer.C, func() { timer.Stop() }
}

// tellFleet sends that the fleet changed, and reports whether the stream continues.
func (st *stream) tellFleet(seq uint64) bool {
	w := &st.fleet
	w.told, w.changed = time.Now(), w.fleet.Changed() // taken before the mode is read, so that no change is missed
	note := provider.StreamNote{Type: provider.NoteFleet, Fleet: w.fleet.Mode(), Seq: seq}
	if err := st.add(note); err != nil {
		return false
	}
	return st.proceed(st.flush(), seq)
}
