package control

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The table in docs/api.md has every route, and says who may use it.
func TestRoutes_AreInTheDocs(t *testing.T) {
	page := read(t, "../../docs/api.md")
	var documented, want []string
	for _, cells := range regexp.MustCompile(`(?m)^\| (.*?) \| (anybody|admin) \|`).FindAllStringSubmatch(page, -1) {
		for _, name := range routesIn(cells[1]) {
			documented = append(documented, name+" "+cells[2])
		}
	}
	for i := range routes {
		may := "anybody"
		if routes[i].op == opAdmin {
			may = "admin"
		}
		want = append(want, routes[i].method+" "+routes[i].path+" "+may)
	}
	slices.Sort(documented)
	slices.Sort(want)
	if diff := cmp.Diff(documented, want); diff != "" {
		t.Errorf("the table of docs/api.md (-is +should be):\n%s", diff)
	}
}

// routesIn are the routes that a cell names. The end of a path alone stands for the same provider
// and method: `GET /api/providers/{id}`, `/models`.
func routesIn(cell string) (names []string) {
	method := ""
	for _, quoted := range regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(cell, -1) {
		name := quoted[1]
		if before, _, ok := strings.Cut(name, " "); ok {
			method = before
		} else {
			name = method + " " + onePath + name
		}
		names = append(names, name)
	}
	return names
}

// A row has everything that a reply may need: the description, the denied action with the command
// that helps, and an example of the body.
func TestRoutes_AreWhole(t *testing.T) {
	for _, rt := range routes {
		if rt.summary == "" || len(rt.replies) == 0 {
			t.Errorf("%s has no summary or no replies", rt.path)
		}
		if admin := rt.op == opAdmin; admin != (rt.phrase != "") || admin != (rt.command != "") {
			t.Errorf("%s: a phrase and a command are for those that not everybody may use, which have both", rt.path)
		}
		if what := strings.Contains(rt.phrase+rt.command, "WHAT"); what != (rt.what != nil) {
			t.Errorf("%s: WHAT is %t in its texts, and read by %v", rt.path, what, rt.what != nil)
		}
		if body := rt.fields != nil; body != (rt.sends != "") || body != (rt.body != nil) {
			t.Errorf("%s: a body has fields, an example for hints and a description, or none of them", rt.path)
		}
		if rt.sends != "" {
			for example := range strings.SplitSeq(rt.sends, " or ") {
				if _, err := parseBody([]byte(example), &rt); err != nil {
					t.Errorf("%s does not take what it says to send: %s: %v", rt.path, example, err)
				}
			}
		}
	}
}

// docs/adding-a-route.md names files and tests that exist.
func TestAddingARoute_NamesWhatThereIs(t *testing.T) {
	var tests strings.Builder
	for _, folder := range []string{".", "..", "../../cmd", "../../ctl", "../../ctl/dashboard"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatal("no tests in", folder, err)
		}
		for _, name := range files {
			tests.WriteString(read(t, name))
		}
	}
	named := 0
	for _, quoted := range regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(read(t, "../../docs/adding-a-route.md"), -1) {
		switch name := quoted[1]; {
		case strings.HasPrefix(name, "Test"):
			named++
			if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
				t.Errorf("no test %s", name)
			}
		case strings.Contains(name, "/") && !strings.Contains(name, " "):
			named++
			if _, err := os.Stat("../../" + name); err != nil {
				t.Error(err)
			}
		}
	}
	if named < 15 {
		t.Errorf("%d files and tests are named", named)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A parameter accepts what its schema shows, and nothing from another schema: no parameter is
// described in a row without being read.
func TestRoutes_ParametersAreReadAsDescribed(t *testing.T) {
	values := map[jsonSchema][]string{
		schemaDuration: valuesOf(t, schemaDuration, "examples"),
		schemaTime:     valuesOf(t, schemaTime, "examples"),
		schemaWindow:   {"30d", "2w"}, // 36h is also a duration, and too long for a wait
		schemaStep:     {"1d"},        // 1h likewise
		schemaFlag:     valuesOf(t, schemaFlag, "enum"),
		schemaNumber:   {"0", "7", "12345678901"},
		schemaIDs:      {"ollama", "my own"},
	}
	for i := range routes {
		for _, p := range routes[i].params {
			if values[p.schema] == nil {
				t.Errorf("%s: %s: give this test values of the schema %s", routes[i].path, p.name, p.schema)
			}
			for schema, list := range values {
				for _, v := range list {
					takes := schema == p.schema || p.schema == schemaIDs || alsoOf(p.schema, v)
					_, err := parseQuery(p.name+"="+url.QueryEscape(v), routes[i].params)
					if (err == nil) != takes {
						t.Errorf("%s?%s=%s: %v, and its schema is %s", routes[i].path, p.name, v, err, p.schema)
					}
				}
			}
		}
	}
}

// alsoOf reports whether a value of another schema is valid for this one too: 0 is a number, a
// flag, and the only duration that needs no unit. Most durations are windows.
func alsoOf(schema jsonSchema, v string) bool {
	switch schema {
	case schemaDuration:
		return v == "0"
	case schemaWindow:
		return v == "5s" || v == "1m30s" || v == "1d"
	case schemaNumber, schemaFlag:
		return v == "0" || v == "1"
	}
	return false
}

func valuesOf(t *testing.T, schema jsonSchema, name string) (values []string) {
	for _, v := range schema.object(t)[name].([]any) {
		values = append(values, v.(string))
	}
	return values
}
