package control

import (
	"bytes"
	gocmp "cmp"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write openapi.json again")

// object is a JSON object; encoding sorts its keys.
type object = map[string]any

// The description matches the current routes and types.
func TestOpenAPI_IsThatOfTheCode(t *testing.T) {
	s := newSchemas(t, "../../store/provider")
	paths := object{}
	for i := range routes {
		rt := &routes[i]
		methods, _ := paths[rt.path].(object)
		if methods == nil {
			methods = object{}
		}
		if methods[strings.ToLower(rt.method)] != nil {
			t.Errorf("%s %s has two rows", rt.method, rt.path)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(rt.fields)), fieldsOf(t, rt.body)); diff != "" {
			t.Errorf("%s: the fields that the body may have, and those that it is described with (-may +described):\n%s", rt.path, diff)
		}
		methods[strings.ToLower(rt.method)] = operationOf(t, s, rt)
		paths[rt.path] = methods
	}
	if t.Failed() {
		return
	}
	shared := object{}
	for _, r := range append(everyReply, unknownReply) {
		shared[strconv.Itoa(r.status)] = response(s, r)
	}
	got := encodeDocument(t, paths, s.named, shared)
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(got, openAPI) {
		t.Error("openapi.json is out of date: go test ./daemon/control -run OpenAPI -update, and look at what changed")
	}
}

// fieldsOf are the names in a body, given as a schema or as a value of its type.
func fieldsOf(t *testing.T, body any) (names []string) {
	switch body := body.(type) {
	case nil:
	case jsonSchema:
		names = slices.Collect(maps.Keys(body.object(t)["properties"].(object)))
	default:
		for _, f := range reflect.VisibleFields(reflect.TypeOf(body)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func encodeDocument(t *testing.T, paths, schemas, shared object) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(struct {
		OpenAPI    string   `json:"openapi"`
		Info       object   `json:"info"`
		Servers    []object `json:"servers"`
		Paths      object   `json:"paths"`
		Components object   `json:"components"`
	}{
		"3.1.0",
		object{
			"title": "providerd", "version": "1",
			"summary": "The control socket of providerd",
			"description": "HTTP/1.1 with JSON over a Unix socket. Fields are added, never renamed or removed. A field that is unknown is left out. " +
				"HEAD works wherever GET does. What is not HTTP at all, and headers over 16 KiB, are answered in plain text.",
		},
		[]object{{"url": "http://localhost", "description": "over the Unix socket that `providerctl info` names"}},
		paths,
		object{"schemas": schemas, "responses": shared},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// operationOf describes what a route does.
func operationOf(t *testing.T, s *schemas, rt *route) object {
	about := rt.about
	if rt.op == opAdmin {
		about = strings.TrimSpace(about + " For administrators only.")
	}
	op := object{"summary": rt.summary, "operationId": operationID(rt), "responses": responses(s, rt)}
	if about != "" {
		op["description"] = about
	}
	if list := parametersOf(t, rt); len(list) > 0 {
		op["parameters"] = list
	}
	if rt.body != nil {
		schema := s.of(rt.body)
		op["requestBody"] = object{"required": !rt.mayLack, "content": object{mediaJSON: object{"schema": schema}}}
	}
	return op
}

// operationID is the path in words: get-providers-status.
func operationID(rt *route) string {
	path := strings.NewReplacer("{id}", "one", "{sink}", "one", ".", "-").Replace(strings.TrimPrefix(rt.path, "/api"))
	return strings.ToLower(rt.method) + strings.ReplaceAll(path, "/", "-")
}

func parametersOf(t *testing.T, rt *route) (list []object) {
	if strings.Contains(rt.path, "{id}") {
		list = append(list, object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"},
			"description": "the provider; a colon in it may stand as it is"})
	}
	if rt.ofSink() {
		list = append(list, object{"name": "sink", "in": "path", "required": true, "schema": object{"type": "string"},
			"description": "the id of a [[notify]]; a colon in it may stand as it is"})
	}
	for _, p := range rt.params {
		list = append(list, object{"name": p.name, "in": "query", "description": p.about, "schema": p.schema.object(t)})
	}
	return list
}

// responses are those of the route and those of all routes; a status can have both.
func responses(s *schemas, rt *route) object {
	out := object{}
	for _, r := range rt.replies {
		out[strconv.Itoa(r.status)] = response(s, r)
	}
	all := everyReply
	if strings.Contains(rt.path, "{id}") || has(rt.params, "provider_id") {
		all = append(slices.Clone(all), unknownReply)
	}
	for _, r := range all {
		code := strconv.Itoa(r.status)
		own, ok := out[code].(object)
		if !ok {
			out[code] = object{"$ref": "#/components/responses/" + code}
			continue
		}
		content := own["content"].(object)[mediaJSON].(object)
		content["schema"] = object{"anyOf": []any{content["schema"], s.of(r.body)}}
		own["description"] = own["description"].(string) + "; or " + r.what
	}
	return out
}

func response(s *schemas, r reply) object {
	schema := object{}
	if r.body != nil {
		schema = s.of(r.body)
	}
	if r.note != nil {
		r.what += "; the schema is that of one line"
		schema = object{"anyOf": []any{schema, s.of(r.note)}}
	}
	return object{"description": r.what, "content": object{gocmp.Or(r.media, mediaJSON): object{"schema": schema}}}
}
