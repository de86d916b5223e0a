package page

import (
	"bytes"
	"cmp"
	"embed"
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
}

func newHandler(o Options) http.Handler {
	s := &site{Options: o, assets: embeddedAssets(), past: past{client: o.Client}}
	s.views = template.Must(template.New("").Funcs(s.functions()).ParseFS(templateFiles, "templates/*.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+o.Base+"{$}", s.view("overview", "Overview", s.overview))
	mux.HandleFunc("GET "+o.Base+"providers/{id}", s.view("overview", "", s.provider))
	mux.HandleFunc("GET "+o.Base+"models", s.view("models", "Models", s.models))
	mux.HandleFunc("GET "+o.Base+"events", s.view("events", "Events", s.events))
	mux.HandleFunc("GET "+o.Base+"daemon", s.view("daemon", "Daemon", s.daemon))
	mux.HandleFunc("GET "+o.Base+"progress.json", s.progress)
	mux.HandleFunc("GET "+o.Base+"assets/{hash}/{file}", s.assets.serve)
	mux.HandleFunc("POST "+o.Base+"do/{what}", s.do)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// view is the handler of a view of rows. It reads them, or shows why it cannot. The function
// that shows the view writes nothing before it has everything.
func (s *site) view(name, title string, show func(http.ResponseWriter, *http.Request, *frame) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := s.frame(r, name)
		f.Title = cmp.Or(title, r.PathValue("id"))
		err := s.ask(r.Context(), f)
		if err == nil {
			err = show(w, r, f)
		}
		if err != nil {
			s.fail(w, f, err)
		}
	}
}

// functions are those that the templates call.
func (s *site) functions() template.FuncMap {
	return template.FuncMap{
		"show":   provider.Printable,
		"base":   func() string { return s.Base },
		"asset":  func(name string) string { return s.Base + "assets/" + s.assets.hash + "/" + name },
		"at":     func(id string) string { return s.Base + "providers/" + url.PathEscape(id) },
		"glyph":  glyph,
		"tone":   tone,
		"moment": func(t provider.Time) int64 { return t.UnixMilli() },
		"stamp":  stamp,
		"clock":  ctl.Clock,
		"past":   func(t provider.Time, now time.Time) string { return ctl.Span(now.Sub(t.Time)) },
		"left":   func(t provider.Time, now time.Time) string { return countdown(t.Sub(now)) },
	}
}

// buffers are kept, because a view of many providers is a megabyte.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// show renders the whole view before it sends the first byte, so that the reply is a complete
// view or an error.
func (s *site) show(w http.ResponseWriter, status int, view string, data any) {
	const kept = 4 << 20
	b := buffers.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= kept {
			buffers.Put(b)
		}
	}()
	b.Reset()
	if err := s.views.ExecuteTemplate(b, view, data); err != nil {
		http.Error(w, "rendering "+view+": "+err.Error(), http.StatusInternalServerError)
		return
	}
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
	s.show(w, http.StatusNotFound, "problem.html", f)
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
