package control

import (
	"net/http"

	"github.com/providerd/providerd/store/provider"
)

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
	s.completeSetup(info.Setup, c)
	s.writeJSON(c, http.StatusOK, info)
	return nil
}

// configuration answers GET /api/daemon/config.
func (s *Server) configuration(c *call) *provider.Error {
	admins := ""
	if g := s.admin.Load(); g != nil {
		admins = g.Name
	}
	s.writeJSON(c, http.StatusOK, s.daemon.Configuration(admins))
	return nil
}

// health answers GET /healthz: the daemon's own health, not the providers'.
func (s *Server) health(c *call) *provider.Error {
	reply, status := s.healthOf(), http.StatusOK
	if reply.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	s.writeJSON(c, status, reply)
	return nil
}
