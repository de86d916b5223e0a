package complaint

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"strings"

	"github.com/providerd/providerd/daemon/probe/loose"
)

// An envelope is an error object, or what is around one, with the members that vendors,
// gateways and frameworks use. The sources of those forms:
//
//   - {"error": {"message", "type", "code", "status", "details"}}: OpenAI, Anthropic,
//     Google; in an array at Google's OpenAI-compatible address (reported only)
//   - {"error": "…", "estimated_time": 20}: Hugging Face (huggingface/huggingface_hub
//     src/huggingface_hub/inference); {"error": "Unauthorized", "message": "…"}: NestJS
//   - {"detail": "…"}, {"detail": {…}}, {"detail": [{"msg": "…"}]}: FastAPI
//     (fastapi.tiangolo.com/tutorial/handling-errors), Replicate, ElevenLabs
//   - {"title", "type", "status", "detail"}: RFC 9457
//   - {"errors": [{"code", "message"}]}: Cloudflare, watsonx
//   - {"base_resp": {"status_code": 1008, "status_msg": "…"}}: MiniMax
//     (platform.minimax.io/docs/api-reference/errorcode)
//   - {"error_code": 110, "error_msg": "…"}: Baidu; {"err_code", "err_msg"}: Deepgram
//   - {"Response": {"Error": {"Code", "Message"}}}: Tencent; {"fault": …}: Apigee;
//     {"ResponseMetadata": {"Error": …}}: Volcengine (reported only)
//   - {"statusCode": 429, "message": "…"}: Azure's API Management
type envelope struct {
	Error    json.RawMessage `json:"error"`
	Errors   json.RawMessage `json:"errors"`
	Detail   json.RawMessage `json:"detail"`
	Details  json.RawMessage `json:"details"`
	BaseResp json.RawMessage `json:"base_resp"`
	Response json.RawMessage `json:"response"`
	Answered json.RawMessage `json:"ResponseMetadata"`
	Fault    json.RawMessage `json:"fault"`

	Message       json.RawMessage `json:"message"`
	Msg           json.RawMessage `json:"msg"`
	ErrorMessage  json.RawMessage `json:"error_message"`
	ErrorMsg      json.RawMessage `json:"error_msg"`
	ErrMsg        json.RawMessage `json:"err_msg"`
	Description   json.RawMessage `json:"error_description"`
	StatusMessage json.RawMessage `json:"status_msg"`
	FaultString   json.RawMessage `json:"faultstring"`
	About         json.RawMessage `json:"description"`
	Title         json.RawMessage `json:"title"`

	Success json.RawMessage `json:"success"`
	OK      json.RawMessage `json:"ok"`

	Type        json.RawMessage `json:"type"`
	Code        json.RawMessage `json:"code"` // a word, or the status again
	Status      json.RawMessage `json:"status"`
	ErrorCode   json.RawMessage `json:"error_code"`
	ErrorKind   json.RawMessage `json:"error_type"`
	ErrCode     json.RawMessage `json:"err_code"`
	Reason      json.RawMessage `json:"reason"`
	Name        json.RawMessage `json:"name"`
	Class       json.RawMessage `json:"__type"` // Amazon
	StatusCode  json.RawMessage `json:"status_code"`
	CamelStatus json.RawMessage `json:"statusCode"`

	Metadata   json.RawMessage `json:"metadata"`
	Parameters json.RawMessage `json:"parameters"`
	Estimated  json.RawMessage `json:"estimated_time"`
	waitFields
}

// waitFields are the members that say when to come back.
type waitFields struct {
	After        json.RawMessage `json:"retry_after"`
	CamelAfter   json.RawMessage `json:"retryAfter"`
	Seconds      json.RawMessage `json:"retry_after_seconds"`
	CamelSeconds json.RawMessage `json:"retryAfterSeconds"`
	Millis       json.RawMessage `json:"retry_after_ms"`
	CamelMillis  json.RawMessage `json:"retryAfterMs"`
	Delay        json.RawMessage `json:"retryDelay"`
	ResetsAt     json.RawMessage `json:"resets_at"`
	ResetAt      json.RawMessage `json:"reset_at"`
	ResetsIn     json.RawMessage `json:"resets_in_seconds"`
}

// text is what the object itself says to people.
func (o *envelope) text() string {
	for _, raw := range []json.RawMessage{o.Message, o.Msg, o.StatusMessage, o.FaultString, o.About} {
		if s := loose.Word(raw); s != "" {
			return s
		}
	}
	return o.errorMessage()
}

// errorMessage is a text under a name that says that something is wrong.
func (o *envelope) errorMessage() string {
	for _, raw := range []json.RawMessage{o.ErrorMessage, o.ErrorMsg, o.ErrMsg, o.Description} {
		if s := loose.Word(raw); s != "" {
			return s
		}
	}
	return ""
}

// saysNo reports whether the object says that the request failed.
func (o *envelope) saysNo() bool {
	if o.errorMessage() != "" {
		return true
	}
	switch strings.ToLower(loose.Word(o.Status)) {
	case "error", "fail", "failed":
		return o.text() != ""
	}
	return (string(o.Success) == "false" || string(o.OK) == "false") && o.text() != ""
}

// codes are its machine-readable words, in lower case.
func (o *envelope) codes() []string {
	var codes []string
	for _, raw := range []json.RawMessage{o.Type, o.Code, o.Status, o.ErrorCode, o.ErrorKind, o.ErrCode, o.Reason, o.Name, o.Class} {
		if w := loose.Word(raw); w != "" {
			codes = append(codes, strings.ToLower(w))
		}
	}
	return codes
}

// A googleDetail is any of the details of Google's errors: an ErrorInfo, a
// QuotaFailure or a RetryInfo (googleapis/googleapis google/rpc/error_details.proto).
type googleDetail struct {
	Reason   string `json:"reason"`
	Metadata struct {
		Limit string `json:"quota_limit"`
		Value string `json:"quota_limit_value"`
		Reset string `json:"quotaResetDelay"` // of Code Assist (google-gemini/gemini-cli)
	} `json:"metadata"`
	Violations []struct {
		Limit string `json:"quotaId"`
		Value string `json:"quotaValue"`
	} `json:"violations"`
	Delay string `json:"retryDelay"` // "34s", "34.074824224s"
}

// tell adds what a detail says to a complaint.
func (d *googleDetail) tell(c *Complaint) {
	if d.Reason != "" {
		c.addCode(d.Reason)
	}
	if d.Metadata.Limit != "" {
		c.limits = append(c.limits, d.Metadata.Limit)
		c.zero = c.zero || d.Metadata.Value == "0"
	}
	for _, v := range d.Violations[:min(len(d.Violations), widest)] {
		if v.Limit != "" {
			c.limits = append(c.limits, v.Limit)
		}
		c.zero = c.zero || v.Value == "0"
	}
	for _, delay := range [...]string{d.Delay, d.Metadata.Reset} {
		if delay != "" {
			c.waits = append(c.waits, toldWait{value: delay})
		}
	}
}

// IsStatusText reports whether a text is only the name of an HTTP status.
func IsStatusText(s string) bool {
	for status := 400; status < 600; status++ {
		if text := http.StatusText(status); text != "" && strings.EqualFold(text, s) {
			return true
		}
	}
	return false
}

// untagged is the text of the beginning of an HTML or XML page, without its tags,
// scripts and styles.
func untagged(page []byte) string {
	s := string(page[:min(len(page), 16<<10)])
	var text strings.Builder
	for s != "" {
		before, after, tagged := strings.Cut(s, "<")
		text.WriteString(before)
		if !tagged {
			break
		}
		text.WriteByte(' ')
		s = after
		for _, hidden := range [...]struct{ opens, closes string }{{"script", "</script"}, {"style", "</style"}, {"!--", "--"}} {
			if len(s) >= len(hidden.opens) && strings.EqualFold(s[:len(hidden.opens)], hidden.opens) {
				_, s, _ = strings.Cut(s, hidden.closes)
			}
		}
		_, s, _ = strings.Cut(s, ">")
	}
	return strings.Join(strings.Fields(html.UnescapeString(text.String())), " ")
}

// salvaged is the message in truncated or invalid JSON, if it got that far. Python's
// notation is invalid JSON too: gateways put {'error': {'message': "…"}} into a message
// (openai/openai-python src/openai/_base_client.py, "Error code: %s - %s").
func salvaged(s string) string {
	for _, name := range [...]string{"'message': ", "'msg': ", "'detail': ", "'error': "} {
		_, after, ok := strings.Cut(s, name)
		if !ok || after == "" || after[0] != '\'' && after[0] != '"' {
			continue
		}
		if inside := untilQuote(after[1:], after[0]); inside != "" {
			return strings.ReplaceAll(inside, `\'`, "'")
		}
	}
	for _, name := range [...]string{`"message"`, `"msg"`, `"detail"`, `"error"`} {
		_, after, ok := strings.Cut(s, name)
		after, begins := strings.CutPrefix(strings.TrimLeft(after, ": \t\r\n"), `"`)
		if !ok || !begins {
			continue
		}
		inside := untilQuote(after, '"')
		if said := cmp.Or(loose.Word(json.RawMessage(`"`+inside+`"`)), inside); said != "" { // its escapes may not be JSON's
			return said
		}
	}
	return ""
}

// withoutRepr cleans a text for people that may have a Python object from at on.
func withoutRepr(s string, at int) string {
	if !strings.HasPrefix(s[at:], "{'") {
		return s
	}
	message := salvaged(s[at:])
	if message == "" {
		message = bare.Replace(s[at:])
	}
	return strings.TrimRight(s[:at], "[ \t\r\n") + " " + message
}

var bare = strings.NewReplacer("{", "", "}", "", "'", "", `"`, "")

// untilQuote is the inside of a string in those quotes, up to its end or the end of the
// text.
func untilQuote(s string, quote byte) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return s[:i]
		}
	}
	return strings.TrimRight(s, `\`)
}
