package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// posted is a refresh on the wire, with the length of its body unless a header gives one.
func posted(query, header, body string) string {
	if !strings.Contains(header, "Content-Length:") && !strings.Contains(header, "Transfer-Encoding:") {
		header += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return "POST /api/providers/refresh" + query + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n" + body
}

// A body can name providers, just like the query.
func TestRefresh_TakesTheProvidersFromTheBody(t *testing.T) {
	t.Parallel()
	const asJSON, asForm = "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
	all := provider.RefreshReply{Status: "refresh_triggered", Scope: "all", Message: "Triggered refresh for all providers", Generation: 1}
	alpha := provider.RefreshReply{Status: "refresh_triggered", ProviderID: "alpha", Message: "Triggered refresh for provider: alpha", Generation: 1}
	two := provider.RefreshReply{Status: "refresh_triggered", IDs: []string{"zeta", "mid"}, Message: "Triggered refresh for providers: zeta, mid", Generation: 1}
	for _, tt := range []struct {
		name, query, header, body string
		want                      provider.RefreshReply
		ids                       []string // that are probed; nil: all
	}{
		{"One", "", asJSON, `{"provider_id": "alpha"}`, alpha, []string{"alpha"}},
		{"ByCurlsDefault", "", asForm, `{"provider_id": "alpha"}`, alpha, []string{"alpha"}},
		{"WithoutAType", "", "", `{"provider_id":"alpha"}`, alpha, []string{"alpha"}},
		{"InChunks", "", asJSON + "Transfer-Encoding: chunked\r\n", "e\r\n{\"provider_id\"\r\na\r\n: \"alpha\"}\r\n0\r\n\r\n", alpha, []string{"alpha"}},
		{"Escaped", "", asJSON, `{"provider\u005fid":"\u0061lpha"}`, alpha, []string{"alpha"}},
		{"WithAByteOrderMark", "", asJSON, "\ufeff{\"provider_id\":\"alpha\"}\r\n", alpha, []string{"alpha"}},
		{"NotCompressed", "", asJSON + "Content-Encoding: identity\r\n", `{"provider_id":"alpha"}`, alpha, []string{"alpha"}},
		{"ListOfOne", "", asJSON, `{"provider_id":["alpha"]}`, alpha, []string{"alpha"}},
		{"OneTwice", "", asJSON, `{"provider_id":["alpha","alpha"]}`, alpha, []string{"alpha"}},
		{"SeveralOnceEachInConfigurationOrder", "", asJSON, `{"provider_id":["mid","zeta","mid"]}`, two, []string{"zeta", "mid"}},
		{"Null", "", asJSON, `{"provider_id":null}`, all, nil},
		{"NullBesideTheQuery", "?provider_id=alpha", asJSON, `{"provider_id":null}`, alpha, []string{"alpha"}},
		{"TheSameInTheQuery", "?provider_id=alpha", asJSON, `{"provider_id":"alpha"}`, alpha, []string{"alpha"}},
		{"TheSameInTheQueryInAList", "?provider_id=alpha&provider_id=alpha", asJSON, `{"provider_id":["alpha"]}`, alpha, []string{"alpha"}},
		{"SeveralInTheQueryInAnotherOrder", "?provider_id=mid&provider_id=zeta", asJSON, `{"provider_id":["zeta","mid"]}`, two, []string{"zeta", "mid"}},
		{"NothingBesideTheQuery", "?provider_id=alpha", asJSON, `{}`, alpha, []string{"alpha"}},
		{"EmptyObject", "", asJSON, `{ }`, all, nil},
		{"Empty", "", asJSON, "", all, nil},
		{"EmptyInChunks", "", asJSON + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", all, nil},
		{"WhiteSpace", "", asJSON, " \r\n\t", all, nil},
		{"NullAlone", "", asJSON, "null\n", all, nil},
		{"Large", "", asJSON, `{"provider_id":"alpha"` + strings.Repeat(" ", 64<<10-23) + "}", alpha, []string{"alpha"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, control.Options{}, running("zeta"), running("alpha"), running("mid"))
			resp, body := r.raw(posted(tt.query, tt.header, tt.body))
			if resp.StatusCode != 202 {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
			if diff := cmp.Diff(tt.want, decode[provider.RefreshReply](t, body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([][]string{tt.ids}, r.providers.refreshed); diff != "" {
				t.Errorf("probed (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("AnnouncedFirst", func(t *testing.T) {
		r := start(t, control.Options{}, running("zeta"), running("alpha"))
		reply := sendRaw(t, r.socket, posted("", "Expect: 100-continue\r\n", `{"provider_id":"alpha"}`))
		if !strings.HasPrefix(reply, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ") || !strings.Contains(reply, `"provider_id":"alpha"`) {
			t.Errorf("got %q", reply)
		}
	})
}

// A body that cannot be read triggers nothing, least of all a refresh of all providers.
func TestRefresh_RefusesABodyThatSaysSomethingElse(t *testing.T) {
	t.Parallel()
	const asJSON = "Content-Type: application/json\r\n"
	r := start(t, control.Options{ReadHeaderTimeout: 2 * time.Second}, running("alpha"), running("ollama"))
	for _, tt := range []struct {
		name, query, header, body string
		status                    int
		says, hint                string // parts of it
	}{
		{"InTheQueryToo", "?provider_id=alpha", asJSON, `{"provider_id":"ollama"}`, 400, "differs between the query and the body", "one of them"},
		{"MoreThanInTheQuery", "?provider_id=alpha", asJSON, `{"provider_id":["alpha","ollama"]}`, 400, "differs", "one of them"},
		{"LessThanInTheQuery", "?provider_id=alpha&provider_id=ollama", asJSON, `{"provider_id":"alpha"}`, 400, "differs", "one of them"},
		{"Twice", "", asJSON, `{"provider_id":"alpha","provider_id":"ollama"}`, 400, "provider_id is given twice", `["ollama","openai"]`},
		{"TwiceTheSame", "", asJSON, `{"provider_id":null,"provider\u005fid":null}`, 400, "twice", ""},
		{"Unknown", "", asJSON, `{"provider_id":"nope"}`, 404, `no such provider: "nope"`, "ollama"},
		{"OneOfThemUnknown", "", asJSON, `{"provider_id":["alpha","nope"]}`, 404, `no such provider: "nope"`, "ollama"},
		{"EmptyID", "", asJSON, `{"provider_id":""}`, 400, "provider_id is empty", "leave it out"},
		{"EmptyIDInAList", "", asJSON, `{"provider_id":["alpha",""]}`, 400, "provider_id is empty", "leave it out"},
		{"EmptyList", "", asJSON, `{"provider_id":[]}`, 400, "provider_id is an empty list", "leave it out"},
		{"Number", "", asJSON, `{"provider_id":7}`, 400, "provider_id is the number 7, not text", `{"provider_id":"ollama"}`},
		{"True", "", asJSON, `{"provider_id":true}`, 400, "provider_id is true or false", `{"provider_id":"ollama"}`},
		{"Object", "", asJSON, `{"provider_id":{"id":"alpha"}}`, 400, "provider_id is an object", `{"provider_id":"ollama"}`},
		{"ListOfNumbers", "", asJSON, `{"provider_id":["alpha",7]}`, 400, "provider_id is a list whose values", `["ollama","openai"]`},
		{"ListWithNull", "", asJSON, `{"provider_id":["alpha",null]}`, 400, "provider_id is a list whose values", `["ollama","openai"]`},
		{"ListOfLists", "", asJSON, `{"provider_id":[["alpha"]]}`, 400, "provider_id is a list whose values", `["ollama","openai"]`},
		{"UnknownField", "", asJSON, `{"provider":"alpha"}`, 400, `unknown field "provider"`, "did you mean: provider_id; the body takes: provider_id"},
		{"FieldOfTheReply", "", asJSON, `{"provider_ids":["alpha"]}`, 400, `unknown field "provider_ids"`, "did you mean: provider_id"},
		{"FieldInOtherLetters", "", asJSON, `{"Provider_ID":"alpha"}`, 400, `unknown field "Provider_ID"`, "did you mean: provider_id"},
		{"ParameterAsAField", "", asJSON, `{"provider_id":"alpha","wait":"5s"}`, 400, `unknown field "wait"`, "put it into the query: ?wait="},
		{"AnotherParameterAsAField", "", asJSON, `{"force":true}`, 400, `unknown field "force"`, "put it into the query: ?force="},
		{"List", "", asJSON, `["alpha"]`, 400, "the body is a list, not a JSON object", `{"provider_id":"ollama"}`},
		{"Text", "", asJSON, `"alpha"`, 400, "the body is text, not a JSON object", `{"provider_id":"ollama"}`},
		{"Form", "", "Content-Type: application/x-www-form-urlencoded\r\n", "provider_id=alpha", 400, "the body is a form, not JSON", `{"provider_id":"ollama"}`},
		{"FormOfPHP", "", "", "provider_id%5B%5D=alpha&provider_id%5B%5D=b", 400, "the body is a form", `{"provider_id":"ollama"}`},
		{"FormInParts", "", "", "--x\r\nContent-Disposition: form-data; name=\"provider_id\"\r\n\r\nalpha\r\n--x--\r\n", 400, "the body is a form", `{"provider_id":"ollama"}`},
		{"Python", "", asJSON, `{'provider_id': 'alpha'}`, 400, "the body is not JSON: ", `{"provider_id":"ollama"}`},
		{"Word", "", asJSON, `alpha`, 400, "the body is not JSON: ", `{"provider_id":"ollama"}`},
		{"TrailingComma", "", asJSON, `{"provider_id":"alpha",}`, 400, "the body is not JSON: ", "send"},
		{"TrailingGarbage", "", asJSON, `{"provider_id":"alpha"}x`, 400, "after top-level value", "send"},
		{"TwoValues", "", asJSON, `{"provider_id":"alpha"}{}`, 400, "after top-level value", "send"},
		{"SaysNothingTwice", "", asJSON, `{}{}`, 400, "after top-level value", "send"},
		{"CutShort", "", asJSON, `{"provider_id":"alp`, 400, "unexpected end", "send"},
		{"NotUTF8", "", asJSON, "{\"provider_id\":\"alpha\xff\"}", 400, "not UTF-8", "send"},
		{"UTF16", "", asJSON, "\xff\xfe{\x00}\x00", 400, "not UTF-8", "send"},
		{"TwoByteOrderMarks", "", asJSON, "\ufeff\ufeff{}", 400, "not JSON", "send"},
		{"ControlCharacter", "", asJSON, "{\"provider_id\":\"al\x00pha\"}", 400, "not JSON", "send"},
		{"DeeplyNested", "", asJSON, `{"provider_id":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + "}", 400, "exceeded max depth", "send"},
		{"NotQuiteAsDeeplyNested", "", asJSON, `{"provider_id":` + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + "}", 400, "a list whose values", "send"},
		{"Compressed", "", asJSON + "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00", 400, `the body is compressed: "gzip"`, "without Content-Encoding"},
		{"CompressedInSilence", "", asJSON, "\x1f\x8b\x08\x00", 400, "not UTF-8", "send"},
		{"TooLarge", "", asJSON, `{"provider_id":"alpha"` + strings.Repeat(" ", 64<<10-22) + "}", 413, "larger than 65536 bytes", "name fewer providers"},
		{"TooLargeInChunks", "", "Transfer-Encoding: chunked\r\n", "10001\r\n" + strings.Repeat(" ", 65537) + "\r\n0\r\n\r\n", 413, "larger than 65536 bytes", "name fewer providers"},
		{"BrokenChunks", "", "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n", 400, "read the body: ", "send"},
		{"ShorterThanItsLength", "", "Content-Length: 100\r\n", `{}`, 400, "the body did not arrive in full within 2s", "as many bytes as Content-Length says"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := r.raw(posted(tt.query, tt.header, tt.body))
			if resp.StatusCode != tt.status {
				t.Fatalf("%d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			got := decode[provider.ErrorReply](t, body).Error
			if got.Code.HTTPStatus() != tt.status || !strings.Contains(got.Message, tt.says) || !strings.Contains(got.Hint, tt.hint) || got.Hint == "" {
				t.Errorf("got %+v, want a message with %q and a hint with %q", got, tt.says, tt.hint)
			}
			if len(body) > 1000 {
				t.Errorf("the reply has %d bytes", len(body))
			}
		})
	}
	t.Run("EndsTooSoon", func(t *testing.T) { // as one does whose sender has gone
		reply := sendRaw(t, r.socket, posted("", "Content-Length: 100\r\n", `{}`))
		if !strings.HasPrefix(reply, "HTTP/1.1 400 ") || !strings.Contains(reply, "the body is shorter than Content-Length") {
			t.Errorf("got %q", reply)
		}
	})
	if n, _ := r.providers.asked(); n != 0 {
		t.Errorf("%d refreshes were triggered", n)
	}
}

// Reading a body has its own time limit, separate from the wait for probes.
func TestRefresh_WaitsForLongerThanABodyMayTake(t *testing.T) {
	t.Parallel()
	for bodyTime := 500 * time.Millisecond; ; bodyTime *= 2 {
		var accepted atomic.Bool
		r := start(t, control.Options{ReadHeaderTimeout: bodyTime}, running("alpha"))
		r.providers.onRefresh = func(ids []string, g uint64) schedule.Accepted {
			accepted.Store(true)
			time.AfterFunc(3*bodyTime, func() { r.providers.complete("alpha", g) })
			return schedule.Accepted{Generation: g, IDs: ids}
		}
		resp, err := r.client.Post("http://localhost/api/providers/refresh?wait=10m", "", strings.NewReader(`{"provider_id":"alpha"}`))
		if !accepted.Load() && bodyTime < time.Minute {
			if err == nil {
				resp.Body.Close()
			}
			continue // the machine was too busy for the body to arrive in that time
		}
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var got provider.RefreshReply
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != 200 || got.Status != "refreshed" || len(got.Providers) != 1 {
			t.Errorf("%d %+v %v", resp.StatusCode, got, err)
		}
		return
	}
}

// Many libraries send a body with every POST. An empty one is not a mistake.
func TestBody_ThatSaysNothingIsTakenWhereNoneIs(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	for _, route := range []string{
		"POST /api/providers/a/pause", "POST /api/providers/a/resume", "POST /api/providers/a/diagnose",
		"POST /api/daemon/reload", "POST /api/discover",
		"GET /api/providers/status", "GET /api/providers/a", "GET /healthz", "GET /api/events",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, body := range []string{"{}", "null", " \n", "{ }\n"} {
			if resp, reply := r.do(method, path, body); resp.StatusCode != 200 {
				t.Errorf("%s with %q: %d %s", route, body, resp.StatusCode, reply)
			}
		}
		for _, body := range []string{`{"id":"a"}`, "[]", "a=b", "{}{}", "0", "\xff"} {
			resp, reply := r.do(method, path, body)
			if got := decode[provider.ErrorReply](t, reply).Error; resp.StatusCode != 400 || got.Message != "this route takes no body" || got.Hint == "" {
				t.Errorf("%s with %q: %d %s", route, body, resp.StatusCode, reply)
			}
		}
	}
}
