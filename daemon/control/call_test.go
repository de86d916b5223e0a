package control

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// Anything added to a reply that has begun would look like a part of it.
func TestBugInTheMiddleOfAReplyCutsItOff(t *testing.T) {
	s := &Server{log: hclog.NewNullLogger()}
	w := httptest.NewRecorder()
	c := &call{w: w, r: httptest.NewRequest("GET", statusPath, nil), codes: &s.codes}
	defer func() {
		if bug := recover(); bug != http.ErrAbortHandler || w.Body.String() != "half of" {
			t.Errorf("the connection is not cut off, but %v, after %q", bug, w.Body)
		}
	}()
	defer s.catch(c)
	startBody(c, http.StatusOK, 1000)
	w.WriteString("half of")
	panic("a bug")
}
