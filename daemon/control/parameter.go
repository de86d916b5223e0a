package control

import "slices"

// A parameter is one that a query can have. [query.set] reads it.
type parameter struct {
	name   string
	about  string
	schema jsonSchema
}

// The schemas of parameters' values.
const (
	schemaDuration = jsonSchema(`{"type": "string", "examples": ["500ms", "5s", "1m30s"]}`)
	schemaNumber   = jsonSchema(`{"type": "integer", "minimum": 0}`)
	schemaWindow   = jsonSchema(`{"type": "string", "examples": ["36h", "30d", "2w"]}`)
	schemaStep     = jsonSchema(`{"type": "string", "enum": ["1h", "1d"]}`)
	schemaTime     = jsonSchema(`{"type": "string", "format": "date-time", "examples": ["2026-01-02T15:04:05Z", "2026-01-02T15:04:05.678+01:00"]}`)
	schemaFlag     = jsonSchema(`{"type": "string", "enum": ["1", "0", "true", "false"]}`)
	schemaIDs      = jsonSchema(`{"type": "array", "items": {"type": "string", "minLength": 1}}`)
)

// Parameters that mean the same to several routes. All others are in the row of their
// route.
var (
	paramProviderID = parameter{"provider_id", "only this provider; may be repeated", schemaIDs}
	paramForce      = parameter{"force", "probe even a rate-limited provider before its retry_at", schemaFlag}
	paramWindow     = parameter{"window", "the last hours or days, as in 36h, 30d or 2w, in buckets", schemaWindow}
	paramStep       = parameter{"step", "the length of a bucket: 1h, kept for 14 days, or 1d, kept for 400; 1h for the last two days by default", schemaStep}
	paramFollow     = parameter{"follow", "continue with what is new", schemaFlag}
)

// has reports whether one of the parameters has that name.
func has(params []parameter, name string) bool {
	return slices.ContainsFunc(params, func(p parameter) bool { return p.name == name })
}

func namesOf(params []parameter) []string {
	names := make([]string, len(params))
	for i := range params {
		names[i] = params[i].name
	}
	return names
}
