package probe

import (
	"encoding/json"
	"strings"
)

// A complaint is what an answer says is wrong, whatever the vendor's form.
type complaint struct {
	message string
	codes   []string // machine-readable words, lower case
	// shaped: it came as model servers complain, in a JSON object's "error", or as
	// a message with a code beside it (Mistral, Cerebras).
	shaped bool
}

// errorFields are those that the vendors' error objects have.
type errorFields struct {
	Message json.RawMessage `json:"message"`
	Type    json.RawMessage `json:"type"`
	Code    json.RawMessage `json:"code"` // a word, or the status once more
	Status  json.RawMessage `json:"status"`
	Details json.RawMessage `json:"details"`
}

// complaint reads {"error": {…}}, {"error": "…"}, {"message": …}, {"detail": …}
// and plain text. It takes what it finds: a broken body yields its text.
func (a *answer) complaint() complaint {
	if a.said == nil {
		c := a.readComplaint()
		a.said = &c
	}
	return *a.said
}

func (a *answer) readComplaint() complaint {
	var body struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
		errorFields
	}
	if !a.decode(&body) {
		return complaint{message: prose(a)}
	}
	c := complaint{shaped: body.Error != nil && string(body.Error) != "null"}
	var inner errorFields
	if c.shaped {
		c.message = word(body.Error)
		if c.message == "" && decode(body.Error, &inner) {
			c.add(inner)
		}
	}
	if c.message == "" {
		c.add(body.errorFields)
		c.shaped = c.shaped || c.message != "" && len(c.codes) > 0
	}
	if c.message == "" {
		c.message = word(body.Detail)
	}
	return c
}

// add takes over an error object's fields.
func (c *complaint) add(f errorFields) {
	c.message = word(f.Message)
	for _, raw := range []json.RawMessage{f.Type, f.Code, f.Status} {
		if w := word(raw); w != "" {
			c.codes = append(c.codes, strings.ToLower(w))
		}
	}
	var details struct { // Anthropic
		Code json.RawMessage `json:"error_code"`
	}
	if len(f.Details) > 0 && f.Details[0] == '{' && decode(f.Details, &details) {
		if w := word(details.Code); w != "" {
			c.codes = append(c.codes, strings.ToLower(w))
		}
	}
}

// word is a JSON string's value, and "" for anything else.
func word(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// prose is the beginning of a body that is text for people.
func prose(a *answer) string {
	if a.isHTML() {
		return "an HTML page"
	}
	return a.excerpt()
}
