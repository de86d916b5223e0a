package dashboard

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
)

// policy is the Content-Security-Policy of every answer.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// plainHead is what follows the status line in answers that net/http makes itself: those to
// malformed requests, which reach no handler.
const plainHead = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// hardened adds the headers of every answer to one that net/http makes itself. It does not
// change any other text.
func hardened(text []byte) []byte {
	status, body, found := bytes.Cut(text, []byte(plainHead))
	if !found || !bytes.HasPrefix(status, []byte("HTTP/1.1 ")) || bytes.ContainsAny(status, "\r\n") {
		return text
	}
	header := http.Header{}
	harden(header)
	var b bytes.Buffer
	b.Write(status)
	b.WriteString("\r\n")
	_ = header.Write(&b) // a buffer never fails
	b.WriteString(plainHead[len("\r\n"):])
	b.Write(body)
	return b.Bytes()
}

// harden sets the headers of every answer. An asset replaces Cache-Control.
func harden(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
}

var refusalPage = template.Must(template.New("refusal").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Status}} – providerd</title></head>
<body>
<h1>{{.Phrase}}</h1>
<p>{{.Message}}.</p>
{{with .Hint}}<p>What to do: {{.}}.</p>
{{end}}</body>
</html>
`))

// answerRefusal answers why a request was not let in, and ends its connection.
func answerRefusal(w http.ResponseWriter, r *Refusal) {
	w.Header().Set("Connection", "close")
	if r.Allow != "" {
		w.Header().Set("Allow", r.Allow)
	}
	if r.Place == API {
		answerJSON(w, r.Status, r.Why)
		return
	}
	answerPage(w, r.Status, refusalPage, struct {
		Status                int
		Phrase, Message, Hint string
	}{r.Status, http.StatusText(r.Status), sentence(r.Why.Message), r.Why.Hint})
}

// entrancePage continues to the overview. Unlike after a redirect, that request comes from this
// origin.
var entrancePage = template.Must(template.New("entrance").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="0; url={{.}}">
<title>providerd</title></head>
<body><p><a href="{{.}}">Continue to the dashboard</a></p></body>
</html>
`))

func answerPage(w http.ResponseWriter, status int, page *template.Template, data any) {
	var body bytes.Buffer
	_ = page.Execute(&body, data) // the templates cannot fail with this data
	answer(w, status, "text/html; charset=utf-8", body.Bytes())
}

// answer writes a whole answer. An error means that nobody reads it.
func answer(w http.ResponseWriter, status int, kind string, body []byte) {
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// sentence begins a message with a capital letter.
func sentence(message string) string {
	if message != "" && 'a' <= message[0] && message[0] <= 'z' {
		return string(message[0]-'a'+'A') + message[1:]
	}
	return message
}
