// Package complaint reads what an answer says is wrong, in the form of any vendor, gateway
// or framework, and decides what that means: whether it is about the key, about money, a
// limit, or a loading model, and when to ask again.
//
// complaint.go and envelope.go take an answer apart; phrases.go and weighed.go find phrases
// in it; meaning.go decides what it means; retry.go, moment.go and prosewait.go read when
// to come back. It is pure, and knows nothing of kinds, probes or connections: words that
// mean something special for one kind belong to that kind. It imports daemon/probe/loose
// and the vocabulary.
package complaint

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/probe/loose"
)

// A Complaint is what an answer says is wrong, in any vendor's form. See meaning.go for
// what it means.
type Complaint struct {
	Message string   // plain text for people, never JSON
	Codes   []string // machine-readable words, lower case
	// Shaped: it has the form of a model server's error: a JSON object's "error", or a
	// message with a code beside it (Mistral, Cerebras).
	Shaped bool
	// Failed: it calls itself an error, under any status.
	Failed bool
	page   bool   // it is a page for people
	status int    // the HTTP status in the body, which is the only one in some answers
	said   string // all its text
	text   string // the same, in the form for finding phrases: see plain

	limits    []string    // the names of the limits that are used up (Google)
	zero      bool        // one of those limits is 0, so waiting does not help
	waits     []toldWait  // how long to wait, in fields of its own
	headers   http.Header // the headers of the server behind, which OpenRouter passes on
	estimated string      // how many seconds a model will take to load (Hugging Face)
}

// A toldWait is a field of a body that says when to come back, in the unit of its name.
type toldWait struct {
	value  string
	millis bool
}

const (
	deepest = 6        // levels of an envelope that are read
	widest  = 16       // members of a list that are read
	maxSaid = 64 << 10 // bytes of text
	// maxBroken is how many bytes of broken JSON become the message: more than will be
	// shown.
	maxBroken = 2 << 10
)

// A Body is the body of an answer, with what is known about it.
type Body struct {
	Bytes     []byte
	Page      bool   // it is HTML
	Part      bool   // it is only the beginning of a too large body
	Illegible string // why it is not readable text; empty: it is
}

// Read reads the complaint of an answer, in any form of envelope. A broken body yields its
// text.
func Read(b Body) *Complaint {
	c := new(Complaint)
	var said strings.Builder
	switch raw := bytes.TrimSpace(bytes.TrimPrefix(b.Bytes, []byte("\ufeff"))); {
	case b.Illegible != "":
		c.Message = b.Illegible
	case b.Page:
		c.Message, c.page = "an HTML page", true
		said.WriteString(untagged(b.Bytes))
	case looksLikeJSON(raw) && !b.Part:
		if !c.read(raw, deepest, &said) { // it is truncated, or is not JSON
			c.Message = string(b.Bytes[:min(len(b.Bytes), maxBroken)])
			said.WriteString(c.Message)
			if raw[0] != '"' {
				c.Message = salvaged(c.Message)
			}
		}
	case bytes.HasPrefix(raw, []byte("<")): // an API gateway's XML
		c.Message = untagged(raw)
		said.WriteString(c.Message)
	default: // text, which may contain JSON: a gateway's, or an event of a stream
		c.readText(string(raw[:min(len(raw), 4<<10)]), deepest, &said)
	}
	c.said = said.String()
	c.text = plain(weighed(c.said) + " | " + strings.Join(c.Codes, " | "))
	return c
}

func looksLikeJSON(b []byte) bool { return len(b) > 0 && strings.IndexByte(`{["`, b[0]) >= 0 }

// read reads a JSON value, and reports whether it is one.
func (c *Complaint) read(raw json.RawMessage, depth int, said *strings.Builder) bool {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || depth == 0:
		return false
	case raw[0] == '"':
		return c.readText(loose.Word(raw), depth, said)
	case raw[0] == '[':
		return c.readList(raw, depth, said)
	case raw[0] == '{':
		var o envelope
		if !loose.Decode(raw, &o) {
			return false
		}
		c.readObject(&o, depth, said)
	}
	return true
}

// readText reads a string, which may contain a whole answer: that of the server behind a
// gateway.
func (c *Complaint) readText(s string, depth int, said *strings.Builder) bool {
	if s == "" {
		return false
	}
	at := strings.IndexByte(s, '{')
	var inner json.RawMessage
	if at < 0 || depth == 1 || json.NewDecoder(strings.NewReader(s[at:])).Decode(&inner) != nil {
		own := c.Message == ""
		c.say(s, said)
		if own && at >= 0 {
			c.Message = withoutRepr(s, at)
		}
		return true
	}
	before := strings.TrimRight(s[:at], "[ \t\r\n")
	said.WriteString(before + " | ")
	own := c.Message == ""
	c.read(inner, depth-1, said)
	if own {
		c.Message = strings.TrimSpace(before + " " + c.Message)
	}
	return true
}

// readList reads the members of a list. The first with text is the message.
func (c *Complaint) readList(raw json.RawMessage, depth int, said *strings.Builder) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token()
	for n := 0; err == nil && n < widest && dec.More(); n++ {
		var one json.RawMessage
		if err = dec.Decode(&one); err == nil {
			c.read(one, depth-1, said)
		}
	}
	return err == nil
}

// say notes a text; the first one is the message.
func (c *Complaint) say(s string, said *strings.Builder) {
	if c.Message == "" {
		c.Message = s
	}
	if room := maxSaid - said.Len(); room > 0 {
		said.WriteString(s[:min(len(s), room)] + " | ")
	}
}

// readObject reads an error object or what is around it. The inside comes first, because it
// says more.
func (c *Complaint) readObject(o *envelope, depth int, said *strings.Builder) {
	titled := o.Error
	if title := loose.Word(o.Error); title != "" && o.text() != "" && (!strings.Contains(title, " ") || IsStatusText(title)) {
		c.Shaped, titled = true, nil // {"error": "Unauthorized", "message": "the token has expired"}
		c.addCode(title)
	}
	if given(titled) {
		c.Shaped = c.read(titled, depth-1, said) || c.Shaped
		c.Shaped = c.Shaped || titled[0] == '{'
	}
	for _, inside := range []json.RawMessage{o.Errors, o.BaseResp, o.Response, o.Answered, o.Fault, o.Message} {
		if given(inside) && (inside[0] == '{' || inside[0] == '[') {
			c.read(inside, depth-1, said)
		}
	}
	text := o.text()
	codes := o.codes()
	c.Shaped = c.Shaped || (text != "" || given(o.Message)) && len(codes) > 0
	c.Failed = c.Failed || c.Shaped && given(o.Error) || given(o.Errors) && c.Message != "" || o.saysNo()
	c.Codes = append(c.Codes, codes...)
	c.addStatus(o)
	if text != "" {
		c.readText(text, depth, said)
	}
	if given(o.Detail) { // it does not identify the server: many use FastAPI
		shaped := c.Shaped
		c.read(o.Detail, depth-1, said)
		c.Shaped = shaped
	}
	if text == "" && loose.Word(o.Title) != "" {
		c.say(loose.Word(o.Title), said)
	}
	c.readDetails(o, depth, said)
	c.readWaits(o)
}

func (c *Complaint) addCode(word string) { c.Codes = append(c.Codes, strings.ToLower(word)) }

// addStatus notes the HTTP status that an error gives in its body.
func (c *Complaint) addStatus(o *envelope) {
	for _, raw := range []json.RawMessage{o.Code, o.StatusCode, o.CamelStatus, o.Status} {
		text := string(raw)
		if w := loose.Word(raw); w != "" {
			text = w
		}
		if n, err := strconv.Atoi(text); c.status == 0 && err == nil && n >= 400 && n < 600 {
			c.status = n
		}
	}
	if n, err := strconv.Atoi(string(o.StatusCode)); err == nil && n != 0 && loose.Word(o.StatusMessage) != "" {
		c.Failed = true // MiniMax says 0 and "success" if there is no error
		c.addCode("minimax:" + strconv.Itoa(n))
	}
}

// readDetails reads Google's list of details, or Anthropic's object.
func (c *Complaint) readDetails(o *envelope, depth int, said *strings.Builder) {
	if !given(o.Details) {
		return
	}
	if o.Details[0] == '{' || o.Details[0] == '"' {
		c.read(o.Details, depth-1, said)
		return
	}
	var details []googleDetail
	if !loose.Decode(o.Details, &details) {
		return
	}
	for i := range details[:min(len(details), widest)] {
		details[i].tell(c)
	}
}

// readWaits reads the fields that say when to come back.
func (c *Complaint) readWaits(o *envelope) {
	c.addWaits(&o.waitFields)
	var parameters waitFields // Telegram's form, which gateways copy
	if given(o.Parameters) && loose.Decode(o.Parameters, &parameters) {
		c.addWaits(&parameters)
	}
	var metadata struct {
		waitFields
		Headers map[string]json.RawMessage `json:"headers"`
	}
	if given(o.Metadata) && loose.Decode(o.Metadata, &metadata) {
		c.addWaits(&metadata.waitFields)
		for name, raw := range metadata.Headers {
			if c.headers == nil {
				c.headers = http.Header{}
			}
			c.headers.Set(name, firstOf(raw))
		}
	}
	if c.estimated == "" {
		c.estimated = scalar(o.Estimated)
	}
}

func (c *Complaint) addWaits(f *waitFields) {
	for _, raw := range []json.RawMessage{f.After, f.CamelAfter, f.Seconds, f.CamelSeconds, f.Delay, f.ResetsAt, f.ResetAt, f.ResetsIn} {
		if v := scalar(raw); v != "" {
			c.waits = append(c.waits, toldWait{value: v})
		}
	}
	for _, raw := range []json.RawMessage{f.Millis, f.CamelMillis} {
		if v := scalar(raw); v != "" {
			c.waits = append(c.waits, toldWait{value: v, millis: true})
		}
	}
}

// given reports whether a member is there, and is not null or empty text.
func given(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null" && string(raw) != `""` && string(raw) != "false"
}

// firstOf is the value of a JSON scalar, or of the first in a list.
func firstOf(raw json.RawMessage) string {
	var list []json.RawMessage
	if len(raw) > 0 && raw[0] == '[' && loose.Decode(raw, &list) && len(list) > 0 {
		raw = list[0]
	}
	return scalar(raw)
}

// scalar is the value of a JSON string, or a number as it is written.
func scalar(raw json.RawMessage) string {
	if len(raw) > 0 && (raw[0] >= '0' && raw[0] <= '9') {
		return string(raw)
	}
	return loose.Word(raw)
}
