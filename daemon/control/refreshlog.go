package control

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
)

// logRefreshEvery is the least time between two log lines about refreshes of one provider.
// Refreshing is open to everybody, and a caller must not be able to fill the disk through
// the log.
const logRefreshEvery = time.Second

// everyProvider stands for a refresh of all; no id is empty.
const everyProvider = ""

// logRefresh logs a line per provider, so that a search for one finds it.
func (s *Server) logRefresh(c *call, ids []string, generation uint64) {
	args := append(c.conn.peer.LogArgs(), "generation", generation)
	if ids == nil {
		s.logRefreshOf(everyProvider, "triggered refresh for all providers", args)
	}
	for _, id := range ids {
		s.logRefreshOf(id, "triggered refresh for provider: "+id, args)
	}
}

// logRefreshOf logs at info if the last line was long enough ago, with the number of lines
// since that were logged at debug.
func (s *Server) logRefreshOf(id, message string, args []any) {
	s.logRationed(&s.refreshLog, id, message, args)
}

// logRationed logs at info as far as the ration of an id allows, and the rest at debug.
func (s *Server) logRationed(r *ration, id, message string, args []any) {
	say, more := r.take(id, time.Now(), s.store.View())
	level := hclog.Debug
	if say {
		level = hclog.Info
	}
	if more > 0 {
		args = append(slices.Clip(args), "more", more)
	}
	s.log.Log(level, message, args...)
}

// A ration allows one line per id in logRefreshEvery.
type ration struct {
	mu   sync.Mutex
	said map[string]saying
}

// A saying is when an id last had a line, and how many were refused since.
type saying struct {
	at   time.Time
	more int
}

// take reports whether id may have a line now and, if so, how many were refused since the
// last one. It keeps only the configured providers: those that a reload removed are
// forgotten.
func (r *ration) take(id string, now time.Time, v store.View) (say bool, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.said[id]
	if known && now.Sub(last.at) < logRefreshEvery {
		last.more++
		r.said[id] = last
		return false, 0
	}
	if len(r.said) > v.Len() {
		maps.DeleteFunc(r.said, func(id string, _ saying) bool { return id != everyProvider && v.Row(id) == nil })
	}
	r.said[id] = saying{at: now}
	return true, last.more
}
