package control

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// schemas describes Go types as JSON schemas. It reads comments and the values of constants,
// which reflection does not know, from the source.
type schemas struct {
	t        *testing.T
	named    object
	comments map[string]string   // by Type or Type.Field
	values   map[string][]string // of the constants of a type
}

func newSchemas(t *testing.T, folder string) *schemas {
	s := &schemas{t: t, named: object{}, comments: map[string]string{}, values: map[string][]string{}}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no source in", folder, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, s.read)
	}
	return s
}

// read processes a declaration.
func (s *schemas) read(n ast.Node) bool {
	decl, ok := n.(*ast.GenDecl)
	if !ok {
		return true
	}
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.comments[spec.Name.Name] = proseOf(decl.Doc)
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, name := range f.Names {
						s.comments[spec.Name.Name+"."+name.Name] = proseOf(f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			s.readConstant(spec)
		}
	}
	return true
}

// readConstant processes NAME Type = "value", except values that only a client uses.
func (s *schemas) readConstant(spec *ast.ValueSpec) {
	typ, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 || proseOf(spec.Comment) == "client only" {
		return
	}
	if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if v, err := strconv.Unquote(lit.Value); err == nil {
			s.values[typ.Name] = append(s.values[typ.Name], v)
		}
	}
}

// proseOf is a comment in one line, without the brackets of links.
func proseOf(c *ast.CommentGroup) string {
	return strings.NewReplacer("[", "", "]", "").Replace(strings.Join(strings.Fields(c.Text()), " "))
}

// of describes the type of v, unless v is a schema itself.
func (s *schemas) of(v any) object {
	if schema, ok := v.(jsonSchema); ok {
		return schema.object(s.t)
	}
	return s.schema(reflect.TypeOf(v))
}

func (j jsonSchema) object(t *testing.T) (o object) {
	if err := json.Unmarshal([]byte(j), &o); err != nil {
		t.Fatalf("%v in %s", err, j)
	}
	return o
}

func (s *schemas) schema(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return s.schema(t.Elem())
	case reflect.String:
		if values := s.values[t.Name()]; t.Name() != "string" && len(values) > 0 {
			s.name(t, object{"type": "string", "enum": values})
			return reference(t)
		}
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		items := s.schema(t.Elem())
		if t.Elem().Kind() == reflect.Pointer { // nil is null, in a list
			items["type"] = []any{items["type"], "null"}
		}
		return object{"type": "array", "items": items}
	case reflect.Map:
		return object{"type": "object", "propertyNames": s.schema(t.Key()), "additionalProperties": s.schema(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.Struct:
		if t == reflect.TypeFor[provider.Time]() {
			s.name(t, object{"type": "string", "format": "date-time"})
		} else if s.named[t.Name()] == nil {
			s.structure(t)
		}
		return reference(t)
	}
	s.t.Fatalf("no schema for %v", t)
	return nil
}

func reference(t reflect.Type) object { return object{"$ref": "#/components/schemas/" + t.Name()} }

func (s *schemas) name(t reflect.Type, schema object) {
	if about := s.comments[t.Name()]; about != "" {
		schema["description"] = about
	}
	s.named[t.Name()] = schema
}

// structure describes a struct, including the fields of embedded ones.
func (s *schemas) structure(t reflect.Type) {
	s.named[t.Name()] = object{} // against turning in circles
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			s.t.Errorf("%s.%s has no name in JSON", t.Name(), f.Name)
		}
		schema := s.schema(f.Type)
		owner := t
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:len(f.Index)-1]).Type
		}
		if about := s.comments[owner.Name()+"."+f.Name]; about != "" {
			schema["description"] = about
		}
		properties[name] = schema
		if options == "" {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	s.name(t, object{"type": "object", "properties": properties, "required": required})
}
