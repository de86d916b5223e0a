package control

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// report answers POST /api/providers/{id}/report, with the row once the report is on the
// disk. Everybody may report. A caller who is not an administrator may do so only once in a
// while, and is believed only for a short time.
func (s *Server) report(c *call) *provider.Error {
	peer := c.conn.peer
	admin := s.policy().allows(peer, opAdmin)
	if !admin && !s.reporters.take(peer, time.Now()) {
		return provider.Errorf(provider.TooMany, "wait a second: the daemon already probes the provider", "one report a second is accepted from each user")
	}
	met, wrong := s.readReport(c)
	if wrong != nil {
		return wrong
	}
	tell := s.providers.Hear
	if admin {
		tell = s.providers.Report
	}
	if err := tell(c.id, met, peer.String()); err != nil {
		return asError(err)
	}
	s.logReport(c, met, admin)
	saved := s.await(c.r.Context(), []string{c.id}, saveTime, func(*store.Row) bool { return !s.store.Waiting(c.id) })
	s.extendReply(c)
	if !saved {
		return provider.Errorf(provider.StoreFailing, "see store_error in: providerctl info", "the report is accepted, but not saved yet")
	}
	return s.row(c)
}

// logReport logs each report of an administrator at info. Of everybody else's it logs one a
// second for each provider at info, and the rest at debug.
func (s *Server) logReport(c *call, met provider.Report, admin bool) {
	args := append(c.conn.peer.LogArgs(), "report", flagsOf(met))
	if admin {
		s.log.Info("accepted report on provider: "+c.id, args...)
		return
	}
	s.logRationed(&s.reportLog, c.id, "accepted unprivileged report on provider: "+c.id, args)
}

func (s *Server) readReport(c *call) (met provider.Report, err *provider.Error) {
	b, err := s.readBody(c)
	if err == nil {
		err = b.read("status", "a whole number", &met.Status)
	}
	if err == nil {
		err = b.read("error", "text", &met.Error)
	}
	if err == nil {
		err = b.read("retry_after", "text", &met.RetryAfter)
	}
	if err == nil {
		err = b.read("headers", "an object of lists of text", &met.Headers)
	}
	return met, err
}

// flagsOf is a report as flags of providerctl. Text of an unexpected form is left out, so
// that a hint never makes one user type what another has invented.
func flagsOf(r provider.Report) string {
	flags := []string{"--status", "CODE"}
	switch {
	case r.Error != "" && plain(r.Error, ""):
		flags = []string{"--error", r.Error}
	case r.Status > 0:
		flags[1] = strconv.Itoa(r.Status)
	}
	switch after := r.RetryAfter; {
	case after == "":
	case plain(after, ":+-."):
		flags = append(flags, "--retry-after", after)
	case plain(after, " ,:+-."): // a date
		flags = append(flags, "--retry-after", strconv.Quote(after))
	}
	return strings.Join(flags, " ")
}

// plain reports whether a short text has only letters, digits and the characters of more.
func plain(s, more string) bool {
	return len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(more, r)
	})
}
