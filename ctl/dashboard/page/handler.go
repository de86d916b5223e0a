package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

//go:embed templates/*.html
var templateFiles embed.FS

// A site is the handler of all pages.
type site struct {
	Options
	views  *template.Template
	assets assets
	past   past
	pulse  pulse
	said   messages
	turn   chan *gzip.Writer // taken while a view is made
}

func newHandler(o Options) http.Handler {
	s := &site{Options: o, assets: embeddedAssets(), past: past{client: o.Client}, turn: make(chan *gzip.Writer, 1)}
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	s.turn <- zip
	s.views = template.Must(template.New("").Funcs(s.functions()).ParseFS(templateFiles, "templates/*.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+o.Base+"{$}", s.view(view{"overview", "Overview", "overview.html", s.overview}))
	mux.HandleFunc("GET "+o.Base+"providers/{id}", s.view(view{"overview", "", "provider.html", s.provider}))
	mux.HandleFunc("GET "+o.Base+"models", s.view(view{"models", "Models", "models.html", s.models}))
	mux.HandleFunc("GET "+o.Base+"events", s.view(view{"events", "Events", "events.html", s.events}))
	mux.HandleFunc("GET "+o.Base+"fleet", s.view(view{"fleet", "Fleet", "fleet.html", s.fleet}))
	mux.HandleFunc("GET "+o.Base+"daemon", s.view(view{"daemon", "Daemon", "daemon.html", s.daemon}))
	mux.HandleFunc("GET "+o.Base+"progress.json", s.progress)
	mux.HandleFunc("GET "+o.Base+"assets/{hash}/{file}", s.assets.serve)
	mux.HandleFunc("POST "+o.Base+"do/{what}", s.do)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// A view is a page of rows.
type view struct {
	name, title, template string
	// fill asks for what the template needs besides the frame.
	fill func(*http.Request, *frame) (data any, err error)
}

// patience is how long a view may wait for its turn and for the daemon, together: behind a daemon
// that hangs, views would otherwise wait for one another.
const patience = 15 * time.Second

// view is the handler of a view: it asks for the rows, and shows why if there are none.
func (s *site) view(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := s.frame(r, v.name)
		f.Title = cmp.Or(v.title, r.PathValue("id"))
		ctx, cancel := context.WithTimeout(r.Context(), cmp.Or(s.Patience, patience))
		defer cancel()
		b := takeBuffer()
		defer keepBuffer(b)
		if err := s.compose(b, r.WithContext(ctx), f, v); err != nil {
			s.fail(w, f, err)
			return
		}
		if takesGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
		}
		send(w, http.StatusOK, b)
	}
}

// compose makes views one at a time, since one of a thousand rows takes megabytes while it is
// made. It is kept compressed until its reader has taken it, which can take long.
func (s *site) compose(b *bytes.Buffer, r *http.Request, f *frame, v view) error {
	var zip *gzip.Writer
	select {
	case zip = <-s.turn:
	case <-r.Context().Done():
		return provider.Errorf(provider.TimedOut, "it may be stopped or stuck; see: providerctl health", "the daemon did not answer in time")
	}
	defer func() { s.turn <- zip }()
	if err := s.ask(r.Context(), f); err != nil {
		return err
	}
	data, err := v.fill(r, f)
	if err != nil {
		return err
	}
	if !takesGzip(r) {
		return s.views.ExecuteTemplate(b, v.template, data)
	}
	zip.Reset(b)
	return errors.Join(s.views.ExecuteTemplate(zip, v.template, data), zip.Close())
}

// takesGzip reports whether a browser asked for compressed pages, as all do.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(coding) == "gzip" {
			return true
		}
	}
	return false
}

// functions are those that the templates call.
func (s *site) functions() template.FuncMap {
	return template.FuncMap{
		"show":    provider.Printable,
		"base":    func() string { return s.Base },
		"asset":   func(name string) string { return s.Base + "assets/" + s.assets.hash + "/" + name },
		"at":      func(id string) string { return s.Base + "providers/" + url.PathEscape(id) },
		"glyph":   glyph,
		"tone":    tone,
		"moment":  func(t provider.Time) int64 { return t.UnixMilli() },
		"stamp":   stamp,
		"clock":   ctl.Clock,
		"capital": func(title string) string { return title[:1] + strings.ToLower(title[1:]) },
		"past":    func(t provider.Time, now time.Time) string { return ctl.Span(now.Sub(t.Time)) },
		"left":    func(t provider.Time, now time.Time) string { return countdown(t.Sub(now)) },
	}
}

// buffers are kept, because a view of many providers is a megabyte.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func takeBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func keepBuffer(b *bytes.Buffer) {
	const most = 4 << 20
	if b.Cap() <= most {
		buffers.Put(b)
	}
}

// show shows a problem.
func (s *site) show(w http.ResponseWriter, status int, f *frame) {
	b := takeBuffer()
	defer keepBuffer(b)
	if err := s.views.ExecuteTemplate(b, "problem.html", f); err != nil {
		http.Error(w, "render a problem: "+err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, status, b)
}

// send sends a page that is whole: it is all there, or an error is.
func send(w http.ResponseWriter, status int, b *bytes.Buffer) {
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the reader has gone
}

func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	f := s.frame(r, "")
	f.Problem = &problem{Message: "there is no such page", Hint: "go back to the overview"}
	f.Title = "not found"
	s.show(w, http.StatusNotFound, f)
}

// glyph stands beside a state's word, so that its colour is not needed.
func glyph(state provider.State) string {
	switch state {
	case provider.StateRunning:
		return "●"
	case provider.StateStarting:
		return "◔"
	case provider.StateDegraded:
		return "◐"
	case provider.StateError:
		return "✕"
	case provider.StateStopped:
		return "○"
	}
	return "?"
}

// tone is the class of a state's colour. A state that this version does not know has that of
// UNKNOWN.
func tone(state provider.State) string {
	for _, known := range provider.States {
		if state == known {
			return strings.ToLower(string(state))
		}
	}
	return "unknown"
}
