package control

import (
	"fmt"
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// lateAfter is the lag at which the scheduler is no longer healthy.
const lateAfter = 5 * time.Second

// info answers GET /api/daemon.
func (s *Server) info(c *call) *provider.Error {
	v, stats := s.store.View(), s.store.Stats()
	info := s.daemon.Info()
	info.Providers = v.Len()
	info.Generation = s.store.Generation()
	info.Seq = v.Seq()
	info.DatabaseBytes = stats.Bytes
	info.StoreError = stats.LastError
	s.providers.Counters(&info.Counters)
	info.Counters.Commits = stats.Commits
	info.Counters.CommitsFailed = stats.CommitsFailed
	mine := s.Stats()
	info.Counters.Requests = mine.Requests
	info.Counters.Streams = mine.Streams
	info.Counters.Denied = mine.Denied
	s.writeJSON(c, http.StatusOK, info)
	return nil
}

// health answers GET /healthz: the daemon's own health, not the providers'.
func (s *Server) health(c *call) *provider.Error {
	reply := provider.Health{Status: "ok", Checks: map[string]string{"store": "ok", "scheduler": "ok"}}
	status := http.StatusOK
	fail := func(check, problem string) {
		reply.Status, reply.Checks[check] = "failing", problem
		status = http.StatusServiceUnavailable
	}
	if problem := s.store.Stats().LastError; problem != "" {
		fail("store", problem)
	}
	if lag := s.providers.Lag(); lag > lateAfter {
		fail("scheduler", fmt.Sprintf("a probe is %s late", lag.Round(time.Second/10)))
	}
	s.writeJSON(c, status, reply)
	return nil
}
