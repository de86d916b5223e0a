package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// chunk is how much of a stream is in memory at a time.
const chunk = 16 << 10

// forwarded serves the daemon's API below the base, to requests that passed the doors.
type forwarded struct {
	base   string // with a slash at both ends
	client *client.Client
	spell  func(hint string) string // nil keeps hints as they are
}

// ServeHTTP forwards a request without its headers. Of the answer's headers it passes on the
// type, if it is one of the daemon's own, and the length. The end of the request ends the call.
func (f forwarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	route, to, allow := find(r.Method, "/"+strings.TrimPrefix(path, f.base))
	if route == nil {
		refusal := refuse(provider.UnknownRoute, "see the list of routes in docs/dashboard.md", "the dashboard does not forward this path")
		if allow != "" {
			refusal = refuse(provider.MethodNotAllowed, "", "the method has to be one of "+allow)
			refusal.Allow = allow
		}
		refusal.Place = API
		answerRefusal(w, refusal)
		return
	}
	req := client.Request{Method: route.method, Path: to, Wait: route.waitOf(query)}
	if query != "" {
		req.Path += "?" + query
	}
	if r.Method == http.MethodPost && r.ContentLength > 0 {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			answerError(w, provider.Errorf(provider.BadRequest, "", "the body is not complete"))
			return
		}
		req.Body = body
	}
	f.forward(w, r, req)
}

func (f forwarded) forward(w http.ResponseWriter, r *http.Request, req client.Request) {
	reply, err := f.client.Open(r.Context(), req)
	if err != nil {
		answerError(w, f.spelled(err))
		return
	}
	defer reply.Close()
	if !passable(reply) {
		answerJSON(w, http.StatusBadGateway, provider.Errorf(provider.Internal, "see what listens there: providerctl doctor",
			"the daemon's reply is neither JSON nor plain text"))
		return
	}
	if reply.Stream {
		passStream(w, r, reply)
		return
	}
	// The daemon does not wait for a slow browser, and a truncated answer is an error.
	body, err := io.ReadAll(reply)
	if err != nil {
		answerError(w, err)
		return
	}
	answer(w, reply.Status, reply.ContentType, body)
}

// spelled adapts the hint of the client's own errors; those of the daemon pass as they are.
func (f forwarded) spelled(err error) error {
	var e *provider.Error
	if f.spell == nil || !errors.As(err, &e) {
		return err
	}
	adapted := *e
	adapted.Hint = f.spell(e.Hint)
	return &adapted
}

// passable reports whether a reply has one of the daemon's own types. A browser would run the
// scripts of another one, or guess the type if there is none, with the rights of this origin.
func passable(reply *client.Reply) bool {
	if reply.ContentType == "" {
		return reply.Length == 0
	}
	kind, _, err := mime.ParseMediaType(reply.ContentType)
	return err == nil && (kind == "application/json" || kind == "application/x-ndjson" || kind == "text/plain")
}

// passStream copies a stream, each part as it arrives.
func passStream(w http.ResponseWriter, r *http.Request, reply *client.Reply) {
	w.Header().Set("Content-Type", reply.ContentType)
	w.WriteHeader(reply.Status)
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	err := out.Flush() // so that a browser sees that it is connected
	for buffer := make([]byte, chunk); err == nil; {
		var n int
		n, err = reply.Read(buffer)
		if _, writeErr := w.Write(buffer[:n]); writeErr != nil {
			err = writeErr
		} else if flushErr := out.Flush(); flushErr != nil {
			err = flushErr
		}
	}
	if !errors.Is(err, io.EOF) {
		panic(http.ErrAbortHandler) // so that the browser sees that this is not all of it
	}
}

// answerError answers with an error, as the daemon writes it. Without a daemon, the code is
// daemon_unreachable.
func answerError(w http.ResponseWriter, err error) {
	var e *provider.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled): // nobody reads it
		e = provider.Errorf(provider.ShuttingDownNow, "", "the dashboard is ending")
	default:
		e = provider.Errorf(provider.Internal, "", "%v", err)
	}
	answerJSON(w, e.Code.HTTPStatus(), e)
}

func answerJSON(w http.ResponseWriter, status int, e *provider.Error) {
	var body bytes.Buffer
	text := json.NewEncoder(&body)
	text.SetEscapeHTML(false)
	_ = text.Encode(provider.ErrorReply{Error: e}) // strings never fail
	answer(w, status, "application/json", body.Bytes())
}
