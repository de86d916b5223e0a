package control_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// A fakeNotifier records what it was told to do.
type fakeNotifier struct {
	did   []string
	lasts []provider.Maintenance
	test  func(ctx context.Context) error
	until time.Time
}

func (f *fakeNotifier) List() provider.NotifyReply {
	return provider.NotifyReply{Sinks: []provider.NotifySink{{ID: "phone", Kind: "ntfy", Open: []string{}, Messages: []provider.NotifyMessage{}}}, Maintenance: f.lasts}
}

func (f *fakeNotifier) Test(ctx context.Context, sink string) error {
	f.did = append(f.did, "test "+sink)
	if f.test == nil {
		return nil
	}
	return f.test(ctx)
}

func (f *fakeNotifier) Retry(sink string, messages []string) (int, error) {
	f.did = append(f.did, strings.TrimSpace("retry "+sink+" "+strings.Join(messages, " ")))
	return 2, nil
}

func (f *fakeNotifier) Drop(sink string, messages []string) (int, error) {
	f.did = append(f.did, strings.TrimSpace("drop "+sink+" "+strings.Join(messages, " ")))
	return 0, provider.Errorf(provider.UnknownMessage, "see which there are", "no message")
}

func (f *fakeNotifier) Maintenance() []provider.Maintenance { return f.lasts }

func (f *fakeNotifier) Maintain(_ context.Context, ids []string, until time.Time, by string) error {
	f.did, f.until = append(f.did, "maintain "+strings.Join(ids, " ")), until
	for _, id := range ids {
		f.lasts = append(f.lasts, provider.Maintenance{ID: id, Until: provider.Time{Time: until}, By: by})
	}
	return nil
}

func (f *fakeNotifier) EndMaintenance(_ context.Context, ids []string) (ended []string, err error) {
	f.did = append(f.did, "end "+strings.Join(ids, " "))
	f.lasts = slices.DeleteFunc(f.lasts, func(m provider.Maintenance) bool {
		gone := slices.Contains(ids, m.ID)
		if gone {
			ended = append(ended, m.ID)
		}
		return gone
	})
	return ended, nil
}

func TestNotify(t *testing.T) {
	for _, tt := range []struct {
		name, request, body string
		status              int
		says                string
		did                 string
	}{
		{"List", "GET /api/notify", "", 200, `"id":"phone"`, ""},
		{"Test", "POST /api/notify/phone/test", "", 200, `{"id":"phone","status":"delivered"}`, "test phone"},
		{"AColonInTheID", "POST /api/notify/phone:2/test", "", 200, `"id":"phone:2"`, "test phone:2"},
		{"RetryAll", "POST /api/notify/phone/retry", "", 200, `{"id":"phone","status":"retrying","messages":2}`, "retry phone"},
		{"RetrySome", "POST /api/notify/phone/retry", `{"messages":["a","b"]}`, 200, "", "retry phone a b"},
		{"DropOne", "POST /api/notify/phone/drop", `{"messages":["a"]}`, 404, `"code":"unknown_message"`, "drop phone a"},
		{"NoneIsNotAll", "POST /api/notify/phone/drop", `{"messages":[]}`, 400, "leave it out for all", ""},
		{"NoText", "POST /api/notify/phone/drop", `{"messages":[1]}`, 400, "not a list of text", ""},
		{"NoSuchEnd", "POST /api/notify/phone/tst", "", 404, "below a sink there are: /drop, /retry, /test", ""},
		{"NotAGet", "GET /api/notify/phone/test", "", 405, "use POST", ""},
		{"For", "POST /api/maintenance", `{"provider_id":"a","for":"2h"}`, 200, `"by":"uid `, "maintain a"},
		{"Until", "POST /api/maintenance", `{"provider_id":["b","a"],"until":"2999-01-02T03:04:05Z"}`, 400, "at most 8784h", ""},
		{"Past", "POST /api/maintenance", `{"provider_id":"a","until":"2001-01-02T03:04:05Z"}`, 400, "over already", ""},
		{"NoTime", "POST /api/maintenance", `{"provider_id":"a"}`, 400, "either for or until", ""},
		{"TwoTimes", "POST /api/maintenance", `{"provider_id":"a","for":"1h","until":"2001-01-02T03:04:05Z"}`, 400, "either for or until", ""},
		{"ALongTime", "POST /api/maintenance", `{"provider_id":"a","for":"2562047h"}`, 400, "at most 8784h", ""},
		{"OfAllIsNamed", "POST /api/maintenance", `{"for":"1h"}`, 400, "names no provider", ""},
		{"OfNobody", "POST /api/maintenance", `{"provider_id":["a","nope"],"for":"1h"}`, 404, "unknown_provider", ""},
		{"EndAll", "DELETE /api/maintenance", "", 200, `{"maintenance":[],"ended":["gone"]}`, "end gone"},
		{"EndOfOneThatWasRemoved", "DELETE /api/maintenance?provider_id=gone", "", 200, `"ended":["gone"]`, "end gone"},
		{"EndOfNobody", "DELETE /api/maintenance?provider_id=nope", "", 404, "unknown_provider", ""},
		{"Methods", "PUT /api/maintenance", "", 405, "use GET, HEAD, POST, DELETE", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &fakeNotifier{lasts: []provider.Maintenance{{ID: "gone"}}}
			r := start(t, control.Options{Notifier: n}, running("a"), running("b"))
			method, path, _ := strings.Cut(tt.request, " ")
			res, body := r.do(method, path, tt.body)
			if res.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if did := strings.Join(n.did, "; "); did != tt.did {
				t.Errorf("it did %q, want %q", did, tt.did)
			}
			if tt.name == "For" {
				if left := time.Until(n.until); left > 2*time.Hour || left < time.Hour {
					t.Errorf("until %s", n.until)
				}
			}
		})
	}
}

// A test that hangs does not delay the end of the daemon.
func TestNotify_ATestEndsWithTheServer(t *testing.T) {
	begun := make(chan struct{})
	n := &fakeNotifier{test: func(ctx context.Context) error { close(begun); <-ctx.Done(); return ctx.Err() }}
	r := start(t, control.Options{Notifier: n}, running("a"))
	done := make(chan string)
	go func() {
		_, body := r.do("POST", "/api/notify/phone/test", "")
		done <- body
	}()
	<-begun
	if err := r.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if body := <-done; !strings.Contains(body, "shutting_down") {
		t.Error(body)
	}
}

// The table of rows has the maintenance of its rows, and lacks the field without any.
func TestStatus_HasTheMaintenance(t *testing.T) {
	n := &fakeNotifier{}
	r := start(t, control.Options{Notifier: n}, running("a"), running("b"))
	if _, body := r.do("GET", "/api/providers/status", ""); strings.Contains(body, "maintenance") {
		t.Error(body)
	}
	until := provider.Time{Time: time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)}
	n.lasts = []provider.Maintenance{{ID: "a", Until: until}, {ID: "b", Until: until, By: "uid 1"}}
	for query, want := range map[string][]provider.Maintenance{"": n.lasts, "?provider_id=b": n.lasts[1:], "?max_age=1h": n.lasts} {
		if diff := cmp.Diff(want, wantRows(r, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func wantRows(r *rig, query string) []provider.Maintenance {
	return want[provider.StatusReply](r, "GET", "/api/providers/status"+query, http.StatusOK).Maintenance
}
