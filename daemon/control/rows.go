package control

import (
	"errors"
	"net/http"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/underway"
)

// look returns the row that the path names. It existed when the call was dispatched, but a
// reload may have removed it since.
func (s *Server) look(c *call) (*store.Row, *provider.Error) {
	rows, err := pick(s.store.View(), []string{c.id})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// row answers GET /api/providers/{id}.
func (s *Server) row(c *call) *provider.Error {
	row, err := s.look(c)
	if err != nil {
		return err
	}
	p := s.buffer()
	b := append(row.AppendJSON((*p)[:0], time.Now()), '\n')
	writeBody(c, http.StatusOK, b)
	s.keep(p, b)
	return nil
}

// models answers GET /api/providers/{id}/models.
func (s *Server) models(c *call) *provider.Error {
	row, err := s.look(c)
	if err != nil {
		return err
	}
	reply := provider.ModelsReply{ID: c.id, CheckedAt: row.ModelsAt(), Models: row.Models}
	if reply.Models == nil {
		reply.Models = []provider.Model{}
	}
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}

// asError finds the [*provider.Error] in err, or makes one of it.
func asError(err error) *provider.Error {
	var e *provider.Error
	if errors.As(err, &e) {
		return e
	}
	var hang *underway.HangError
	if errors.As(err, &hang) {
		return provider.Errorf(provider.StoreFailing, hang.Hint(), "%v", err)
	}
	return provider.Errorf(provider.Internal, "see: providerctl logs", "%v", err)
}
