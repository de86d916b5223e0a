package daemon

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A description is the OpenAPI document that a daemon serves, prepared for checking replies.
type description struct {
	operations map[string]bool               // by "METHOD path"
	bodies     map[string]*jsonschema.Schema // of requests, by "METHOD path"
	schemas    map[string]*jsonschema.Schema // by "METHOD path status media"
	other      *jsonschema.Schema            // of a reply to an unknown operation
}

// describe reads the daemon's description.
func (r *running) describe() *description {
	_, body := r.ask("GET", "/api/openapi.json", "")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	shut(doc)
	const url = "mem:///openapi.json"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(url, doc); err != nil {
		r.t.Fatal(err)
	}
	d := &description{operations: map[string]bool{}, bodies: map[string]*jsonschema.Schema{}, schemas: map[string]*jsonschema.Schema{},
		other: c.MustCompile(url + "#/components/schemas/ErrorReply")}
	for path, methods := range at(doc, "paths") {
		for method, op := range methods.(map[string]any) {
			name := strings.ToUpper(method) + " " + path
			d.operations[name] = true
			where := url + "#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method
			if op.(map[string]any)["requestBody"] != nil {
				d.bodies[name] = c.MustCompile(where + "/requestBody/content/application~1json/schema")
			}
			for status, res := range at(op, "responses") {
				place := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method + "/responses/" + status
				if ref, ok := res.(map[string]any)["$ref"].(string); ok {
					place = strings.TrimPrefix(ref, "#")
					res = at(doc, strings.Split(place[1:], "/")...)
				}
				for media := range at(res, "content") {
					d.schemas[name+" "+status+" "+media] = c.MustCompile(
						url + "#" + place + "/content/" + strings.ReplaceAll(media, "/", "~1") + "/schema")
				}
			}
		}
	}
	return d
}

// at is the object at that place of a document.
func at(doc any, names ...string) map[string]any {
	for _, name := range names {
		doc = doc.(map[string]any)[name]
	}
	return doc.(map[string]any)
}

// shut forbids undescribed fields in all objects.
func shut(doc any) {
	switch doc := doc.(type) {
	case map[string]any:
		if doc["type"] == "object" && doc["properties"] != nil {
			doc["additionalProperties"] = false
		}
		for _, v := range doc {
			shut(v)
		}
	case []any:
		for _, v := range doc {
			shut(v)
		}
	}
}

// check compares a reply with the description.
func (d *description) check(res *http.Response, body string) error {
	media := res.Header.Get("Content-Type")
	schema := d.other
	if op := d.operation(res.Request.Method, res.Request.URL.Path); op != "" {
		key := fmt.Sprintf("%s %d %s", op, res.StatusCode, media)
		if schema = d.schemas[key]; schema == nil {
			return fmt.Errorf("not described: %s", key)
		}
	}
	docs := []string{body}
	if strings.HasSuffix(media, "ndjson") {
		docs = slices.Collect(strings.Lines(body))
	}
	for _, text := range docs {
		var v any = text
		if strings.Contains(media, "json") {
			var err error
			if v, err = jsonschema.UnmarshalJSON(strings.NewReader(text)); err != nil {
				return fmt.Errorf("%w in %s", err, text)
			}
		}
		if err := schema.Validate(v); err != nil {
			return fmt.Errorf("%w in %s", err, text)
		}
	}
	return nil
}

// operation finds the operation of a request; empty if there is none.
func (d *description) operation(method, path string) string {
	if op := method + " " + path; d.operations[op] {
		return op
	}
	if rest, ok := strings.CutPrefix(path, "/api/notify/"); ok {
		_, under, _ := strings.Cut(rest, "/")
		if op := method + " /api/notify/{sink}/" + under; d.operations[op] {
			return op
		}
	}
	if rest, ok := strings.CutPrefix(path, "/api/providers/"); ok {
		_, under, below := strings.Cut(rest, "/")
		op := method + " /api/providers/{id}"
		if below {
			op += "/" + under
		}
		if d.operations[op] {
			return op
		}
	}
	return ""
}

// Every reply in this package's tests is compared with the description. This test covers every
// operation, and the errors that a caller can cause.
func TestOpenAPI_DescribesEveryReply(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL)+httpProvider("gone", "http://127.0.0.1:1")+"unit = \"x.service\"\nslots = 2\n"+
		"[[notify]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \""+g.URL+"\"\n"+
		"[[notify]]\nid = \"nobody\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1\"\n", nil)
	close(g.turns)
	left := maps.Clone(r.description().operations)
	for _, q := range []struct {
		request string
		body    string
		status  int
	}{
		{"GET /api/providers/status", "", 200},
		{"GET /api/providers/status?provider_id=a&max_age=0s&wait=5m", "", 200},
		{"GET /api/providers/status?provider_id=nope", "", 404},
		{"GET /api/providers/status?nope=1", "", 400},
		{"POST /api/providers/status", "", 405},
		{"POST /api/providers/refresh", "", 202},
		{"POST /api/providers/refresh?provider_id=a&provider_id=gone", "", 202},
		{"POST /api/providers/refresh?wait=5m", "", 200},
		{"POST /api/providers/refresh?wait=0s", "", 504},
		{"POST /api/providers/refresh?provider_id=nope", "", 404},
		{"POST /api/providers/refresh", strings.Repeat(" ", 70<<10), 413},
		{"POST /api/providers/refresh", `{"provider_id":"nope"}`, 404},
		{"GET /api/providers/gone", "", 200},
		{"GET /api/providers/nope", "", 404},
		{"GET /api/providers/a/nope", "", 404},
		{"GET /api/providers/a/models", "", 200},
		{"GET /api/providers/gone/diagnostics", "", 200},
		{"POST /api/providers/a/diagnose", "", 200},
		{"POST /api/providers/a/diagnose?wait=0s", "", 504},
		{"GET /api/providers/gone/history", "", 200},
		{"GET /api/providers/gone/history?from=2026-01-02T03:04:05Z", "", 200},
		{"GET /api/providers/gone/history?since=999", "", 410},
		{"GET /api/providers/gone/history?window=30d", "", 200},
		{"GET /api/providers/a/history?step=1h", "", 200},
		{"GET /api/history?window=90d&provider_id=a", "", 200},
		{"GET /api/history?provider_id=nope", "", 404},
		{"GET /api/history?window=0d", "", 400},
		{"POST /api/providers/a/pause", "", 200},
		{"POST /api/providers/refresh?wait=5m", "", 200}, // one is skipped
		{"POST /api/providers/a/diagnose", "", 200},
		{"POST /api/providers/a/resume", "", 200},
		{"POST /api/discover", "", 200},
		{"POST /api/providers/a/report", `{"status":429,"retry_after":"60"}`, 200},
		{"POST /api/providers/a/report", `{"status":200}`, 400},
		{"GET /api/providers/a/slots", "", 409}, // it has none
		{"POST /api/providers/a/slots", "", 409},
		{"GET /api/providers/gone/slots", "", 200},
		{"POST /api/providers/gone/slots", "", 503},                                 // it is closed
		{"POST /api/providers/a/action", `{"action":"stop","phase":"begins"}`, 400}, // it has no unit
		{"POST /api/providers/gone/action", `{"action":"stop","phase":"done"}`, 200},
		{"GET /api/events", "", 200},
		{"GET /api/events?since=999", "", 410},
		{"GET /api/fleet", "", 200},
		{"GET /api/notify", "", 200},
		{"POST /api/notify/hook/test", "", 200},
		{"POST /api/notify/nobody/test", "", 502},
		{"POST /api/notify/nope/test", "", 404},
		{"POST /api/notify/hook/retry", "", 200},
		{"POST /api/notify/hook/retry", `{"messages":["msg_nope"]}`, 404},
		{"POST /api/notify/hook/drop", `{"messages":[]}`, 400},
		{"POST /api/notify/hook/drop", "", 200},
		{"POST /api/notify/hook/nope", "", 404},
		{"POST /api/maintenance", `{"provider_id":"a","for":"1h"}`, 200},
		{"POST /api/maintenance", `{"provider_id":"nope","for":"1h"}`, 404},
		{"GET /api/maintenance", "", 200},
		{"GET /api/providers/status", "", 200}, // one is in maintenance
		{"PUT /api/maintenance", "", 405},
		{"DELETE /api/maintenance?provider_id=nope", "", 404},
		{"DELETE /api/maintenance?provider_id=a", "", 200},
		{"GET /api/daemon", "", 200},
		{"GET /api/daemon/config", "", 200},
		{"POST /api/daemon/reload", "", 200},
		{"PUT /api/daemon/log-level", `{"level":"debug"}`, 200},
		{"PUT /api/daemon/log-level", `{"level":"loud"}`, 400},
		{"GET /api/daemon/log?lines=1000", "", 200},
		{"GET /api/daemon/backup", "", 200},
		{"GET /api/openapi.json", "", 200},
		{"GET /healthz", "", 200},
		{"GET /metrics", "", 200},
		{"GET /nope", "", 404},
	} {
		method, path, _ := strings.Cut(q.request, " ")
		res, body := r.ask(method, path, q.body)
		if res.StatusCode != q.status {
			t.Errorf("%s: %d, want %d: %s", q.request, res.StatusCode, q.status, body)
		}
		delete(left, r.description().operation(method, res.Request.URL.Path))
	}
	r.rewrite("[daemon]\nlog_level = \"loud\"\n")
	if res, body := r.ask("POST", "/api/daemon/reload", ""); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a bad configuration: %d %s", res.StatusCode, body)
	}
	if len(left) > 0 {
		t.Errorf("described, and not asked here: %v", slices.Sorted(maps.Keys(left)))
	}
}

// The daemon accepts the bodies that are described, and no others.
func TestOpenAPI_DescribesWhatIsTaken(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL)+httpProvider("gone", "http://127.0.0.1:1")+"unit = \"x.service\"\n", nil)
	close(g.turns)
	for op, bodies := range map[string][]string{
		"POST /api/providers/refresh": {
			`{}`, `{"provider_id":"a"}`, `{"provider_id":["a","gone"]}`, `{"provider_id":["a","a"]}`, `{"provider_id":null}`,
			`{"provider_id":""}`, `{"provider_id":[]}`, `{"provider_id":[""]}`, `{"provider_id":[null]}`, `{"provider_id":1}`,
			`{"provider_id":{}}`, `{"Provider_ID":"a"}`, `{"wait":"1s"}`, `[]`, `"a"`,
		},
		"PUT /api/daemon/log-level": {`{"level":"debug"}`, `{"level":1}`, `{}`, `[]`},
		"POST /api/maintenance": {
			`{"provider_id":"a","for":"1h"}`, `{"provider_id":["a","gone"],"for":"90m"}`, `{"for":"1h"}`, `{"provider_id":[],"for":"1h"}`,
			`{"provider_id":"a","for":3}`, `{"id":"a","for":"1h"}`,
		},
		"POST /api/providers/{id}/action": {
			`{"action":"stop","phase":"done"}`, `{"action":"stop"}`, `{"action":"kill","phase":"done"}`, `{"action":1,"phase":"done"}`, `7`,
		},
		"POST /api/providers/{id}/report": {`{"status":429}`, `{"error":"timeout","retry_after":"60"}`, `{"status":"429"}`, `{"status":429,"retry_after":60}`, `7`},
	} {
		schema := r.description().bodies[op]
		if schema == nil {
			t.Errorf("%s: no body is described", op)
			continue
		}
		method, path, _ := strings.Cut(strings.ReplaceAll(op, "{id}", "gone"), " ")
		for _, body := range bodies {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			described := schema.Validate(v)
			if res, reply := r.ask(method, path, body); (res.StatusCode < 300) != (described == nil) {
				t.Errorf("%s with %s: %d %s; described: %v", op, body, res.StatusCode, reply, described)
			}
		}
	}
}
