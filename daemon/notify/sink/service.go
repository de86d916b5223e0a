package sink

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A service is a kind whose message is one request with a body of JSON.
type service struct {
	name string
	// check says what is wrong with the address, of which it is given a copy; nil: nothing can be.
	check func(u *url.URL) (problem, fix string)
	// request completes what is sent: the header has the token already, unless bare.
	request func(m *message) any
	bare    bool // the token goes elsewhere than into Authorization: Bearer
}

// A message is one to a service.
type message struct {
	method string
	url    *url.URL // a copy
	header http.Header
	token  string

	id          string
	title, body string
	text        string // both in one
	urgency     urgency
}

// orTitle is for services that refuse an empty body.
func (m *message) orTitle() (title, body string) {
	if m.body == "" {
		return "", m.title
	}
	return m.title, m.body
}

// take removes a value from the query of the address.
func (m *message) take(name string) string {
	query := m.url.Query()
	value := query.Get(name)
	query.Del(name)
	m.url.RawQuery = query.Encode()
	return value
}

func needs(name, example string) func(*url.URL) (string, string) {
	return func(u *url.URL) (string, string) {
		if u.Query().Get(name) != "" {
			return "", ""
		}
		return "it has no " + name, example
	}
}

// services are all of them. Each row's source is the service's own documentation.
var services = [...]service{
	{ // docs.ntfy.sh/publish, "Publish as JSON", "Access tokens": the topic is in the body, and the address is the server's
		name: "ntfy",
		check: func(u *url.URL) (string, string) {
			if strings.Trim(path.Base(u.Path), "/.") == "" {
				return "it has no topic", `write url = "https://ntfy.sh/TOPIC"`
			}
			return "", ""
		},
		request: func(m *message) any {
			title, body := m.orTitle()
			topic := path.Base(m.url.Path)
			m.url.Path, m.url.RawPath = strings.TrimSuffix(strings.TrimSuffix(m.url.Path, "/"), topic), ""
			return fields{
				"topic": topic, "title": title, "message": body,
				"priority": [...]int{low: 2, normal: 4, high: 5}[m.urgency],
				"tags":     []string{[...]string{low: "white_check_mark", normal: "warning", high: "rotating_light"}[m.urgency]},
			}
		},
	},
	{ // docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, docs.slack.dev/messaging/formatting-message-text, "Escaping text"
		name:    "slack",
		request: func(m *message) any { return fields{"text": escapedForSlack(m.text)} },
	},
	{ // developers.mattermost.com/integrate/webhooks/incoming
		name:    "mattermost",
		request: func(m *message) any { return fields{"text": escapedForSlack(m.text)} },
	},
	{ // discord.com/developers/docs/resources/webhook#execute-webhook: content of up to 2000 characters; wait makes it report what it did not post
		name: "discord",
		request: func(m *message) any {
			query := m.url.Query()
			query.Set("wait", "true")
			m.url.RawQuery = query.Encode()
			return fields{"content": escapedForDiscord(m.text), "allowed_mentions": map[string][]string{"parse": {}}}
		},
	},
	{ // core.telegram.org/bots/api#making-requests, #sendmessage
		name: "telegram", bare: true,
		check: needs("chat_id", `write url = "https://api.telegram.org?chat_id=NUMBER"`),
		request: func(m *message) any {
			body := fields{"text": m.text, "link_preview_options": map[string]bool{"is_disabled": true}}
			for name, values := range m.url.Query() { // chat_id, message_thread_id
				body[name] = values[0]
			}
			body["disable_notification"] = m.urgency == low
			m.url.RawQuery = ""
			m.url.Path, m.url.RawPath = strings.TrimSuffix(m.url.Path, "/")+"/bot"+m.token+"/sendMessage", ""
			return body
		},
	},
	{ // gotify.net/docs/pushmsg
		name: "gotify", bare: true,
		request: func(m *message) any {
			m.header.Set("X-Gotify-Key", m.token)
			if path.Base(m.url.Path) != "message" {
				m.url.Path, m.url.RawPath = strings.TrimSuffix(m.url.Path, "/")+"/message", ""
			}
			title, body := m.orTitle()
			return fields{"title": title, "message": body, "priority": [...]int{low: 2, normal: 5, high: 8}[m.urgency]}
		},
	},
	{ // pushover.net/api: messages of up to 1024 characters, titles of up to 250
		name: "pushover", bare: true,
		check: needs("user", `write url_file with https://api.pushover.net/1/messages.json?user=USER`),
		request: func(m *message) any {
			user := m.take("user")
			title, body := m.orTitle()
			return fields{
				"token": m.token, "user": user, "title": title, "message": provider.CutLine(body, 1000),
				"priority": [...]int{low: -1, normal: 0, high: 1}[m.urgency],
			}
		},
	},
	{ // spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid: the homeserver drops a message that it has, by the id
		name:  "matrix",
		check: needs("room", `write url = "https://HOMESERVER?room=!ROOM:HOMESERVER"`),
		request: func(m *message) any {
			room := m.take("room")
			m.method = http.MethodPut
			*m.url = *m.url.JoinPath("_matrix/client/v3/rooms", url.PathEscape(room), "send/m.room.message", m.id)
			kind := "m.text"
			if m.urgency == low {
				kind = "m.notice"
			}
			return fields{"msgtype": kind, "body": m.text}
		},
	},
}

type fields map[string]any

// escapedForSlack keeps a text from being markup, such as <!channel>.
func escapedForSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// escapedForDiscord keeps a text from being Markdown, and within 2000 characters.
func escapedForDiscord(text string) string {
	const most = 1990
	escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, ">", `\>`).Replace(text)
	return provider.CutLine(escaped, most)
}

// A posted sink sends notices to a service.
type posted struct {
	*poster
	*service
	to    *receiver
	texts *texts
}

func newService(n *config.Notify, o *Options, t *texts, read bool) (Sink, error) {
	var s *service
	for i := range services {
		if services[i].name == n.Kind {
			s = &services[i]
		}
	}
	if s == nil {
		return nil, &config.SettingError{Setting: "kind", Problem: "there is no such kind"}
	}
	to, err := receiverOf(n, o, read)
	if err != nil {
		return nil, err
	}
	if s.check != nil && to.url != nil {
		if problem, fix := s.check(to.url); problem != "" {
			setting := "url"
			if to.secret {
				setting = "url_file"
			}
			return nil, &config.SettingError{Setting: setting, Problem: problem, Fix: fix}
		}
	}
	if !read {
		return nil, nil
	}
	return &posted{newPoster(o, to.url, to.secrets()...), s, to, t}, nil
}

func (p *posted) Deliver(ctx context.Context, n *provider.Notice) error {
	to := *p.to.url
	m := &message{
		method: http.MethodPost, url: &to, header: http.Header{"Content-Type": {"application/json"}}, token: p.to.token,
		id: n.ID, text: p.texts.line(n), urgency: urgencyOf(n),
	}
	m.title, m.body = p.texts.of(n)
	if m.token != "" && !p.bare {
		m.header.Set("Authorization", "Bearer "+m.token)
	}
	body, err := json.Marshal(p.request(m))
	if err != nil {
		return err
	}
	return p.send(ctx, m.method, to.String(), m.header, body)
}

// retryAfterIn are the seconds that Telegram's answer names.
func retryAfterIn(answer []byte) string {
	var said struct {
		Parameters struct {
			RetryAfter json.Number `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return ""
	}
	return said.Parameters.RetryAfter.String()
}
