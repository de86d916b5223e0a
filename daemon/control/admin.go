package control

import (
	"net/http"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// reload answers POST /api/daemon/reload.
func (s *Server) reload(c *call) *provider.Error {
	who := c.conn.peer.LogArgs()
	s.log.Info("reload requested", who...)
	reply, err := s.daemon.Reload(c.r.Context())
	s.extendReply(c)
	if err != nil {
		return asError(err)
	}
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}

// levels of the log, the most verbose first.
var levels = []string{"trace", "debug", "info", "warn", "error", "off"}

// logLevel answers PUT /api/daemon/log-level.
func (s *Server) logLevel(c *call) *provider.Error {
	level, wrong := s.wantedLevel(c)
	if wrong != nil {
		return wrong
	}
	args := append(c.conn.peer.LogArgs(), "level", level)
	shown := s.log.IsInfo() // before the change, otherwise after it
	if shown {
		s.log.Info("changed log level", args...)
	}
	if err := s.daemon.SetLogLevel(level); err != nil {
		return asError(err)
	}
	if !shown {
		s.log.Info("changed log level", args...)
	}
	s.writeJSON(c, http.StatusOK, provider.LogLevel{Level: level})
	return nil
}

// whatLevel is the level, as an argument of providerctl.
func (s *Server) whatLevel(c *call) string {
	if level, err := s.wantedLevel(c); err == nil {
		return level
	}
	return "LEVEL"
}

// wantedLevel reads the level that the body names.
func (s *Server) wantedLevel(c *call) (string, *provider.Error) {
	var want string
	b, err := s.readBody(c)
	if err == nil {
		err = b.read("level", "text", &want)
	}
	if err == nil && !b.given("level") {
		err = b.wrong("the body names no level")
	}
	if err != nil {
		return "", err
	}
	level := strings.ToLower(want)
	if !slices.Contains(levels, level) {
		return "", provider.Errorf(provider.BadRequest, provider.DidYouMean(want, levels, "", "use one of: "+strings.Join(levels, ", ")),
			"no such log level: %q", shorten(want))
	}
	return level, nil
}
