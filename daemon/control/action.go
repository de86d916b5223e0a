package control

import (
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// action answers POST /api/providers/{id}/action. Everybody may say what they ask systemd to do,
// because systemd decides whether they may, and the daemon only notes who said so.
func (s *Server) action(c *call) *provider.Error {
	note, wrong := s.readAction(c)
	if wrong != nil {
		return wrong
	}
	peer := c.conn.peer
	admin := s.policy().allows(peer, opAdmin)
	if err := s.providers.Act(c.id, note, peer.String(), admin); err != nil {
		return asError(err)
	}
	args := append(peer.LogArgs(), "action", note.Action, "phase", note.Phase)
	if admin {
		s.log.Info("systemd action on provider: "+c.id, args...)
	} else {
		s.logRationed(&s.actionLog, c.id, "systemd action on provider: "+c.id, args)
	}
	if note.Phase == provider.ActionDone {
		s.providers.Refresh([]string{c.id}, false)
	}
	return s.row(c)
}

func (s *Server) readAction(c *call) (note provider.ActionNote, err *provider.Error) {
	b, err := s.readBody(c)
	if err == nil {
		err = b.read("action", "text", &note.Action)
	}
	if err == nil {
		err = b.read("phase", "text", &note.Phase)
	}
	switch {
	case err != nil:
		return note, err
	case !slices.Contains([]string{provider.ActionStart, provider.ActionStop, provider.ActionRestart}, note.Action):
		return note, provider.Errorf(provider.BadRequest, "use start, stop or restart", "unknown action %q", shorten(note.Action))
	case !slices.Contains([]string{provider.ActionBegins, provider.ActionDone, provider.ActionFailed}, note.Phase):
		return note, provider.Errorf(provider.BadRequest, "use begins, done or failed", "unknown phase %q", shorten(note.Phase))
	}
	return note, nil
}
