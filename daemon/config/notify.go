package config

import (
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Notify is one complete [[notify]]: a way to tell people, and what they are told.
type Notify struct {
	ID   string
	Kind string // the name of one of [NotifyKinds]
	URL  string // can contain a secret: see [Notify.ShownURL]
	// URLFile, TokenFile and SecretFile are the absolute paths of files with credentials.
	URLFile, TokenFile, SecretFile string
	Faults                         []string // why one of them cannot be used
	Command                        []string // of kind exec: the program and its arguments

	On        []provider.Topic
	Providers Globs
	After     time.Duration // how long trouble must last
	Gather    time.Duration // how long to wait for more of it
	Most      int           // messages an hour, then they are put together
	Quiet     Windows       // no messages at that time

	Title, Body string // templates; empty: the kind's own
}

// A Maintenance is one [[maintenance]]: when trouble of which providers is expected.
type Maintenance struct {
	Providers Globs
	At        Windows
}

// A NotifyKind is a way to tell people, as far as the configuration goes. daemon/notify/sink
// delivers, and [Env.CheckNotify] checks what it alone knows.
type NotifyKind struct {
	Name    string
	URL     Need   // url or url_file
	Token   Need   // token_file
	Secret  Need   // secret_file
	Command Need   // command
	Example string // what to type if what it needs is missing
}

// A Need is whether a kind takes a setting.
type Need int

const (
	Never   Need = iota // it has no use for it
	Perhaps             // it can have it
	Must                // it cannot do without
)

// NotifyKinds are all kinds, in the order of the documentation.
var NotifyKinds = []NotifyKind{
	{Name: "webhook", URL: Must, Token: Perhaps, Secret: Perhaps, Example: `url = "https://example.com/hook", or url_file = "/etc/providerd/hook"`},
	{Name: "ntfy", URL: Must, Token: Perhaps, Example: `url = "https://ntfy.sh/TOPIC", or url_file = "/etc/providerd/ntfy"`},
	{Name: "slack", URL: Must, Example: `url_file = "/etc/providerd/slack", with the address of an incoming webhook`},
	{Name: "mattermost", URL: Must, Example: `url_file = "/etc/providerd/mattermost", with the address of an incoming webhook`},
	{Name: "discord", URL: Must, Example: `url_file = "/etc/providerd/discord", with the address of a webhook`},
	{Name: "telegram", URL: Must, Token: Must, Example: `url = "https://api.telegram.org?chat_id=NUMBER" and token_file = "/etc/providerd/telegram"`},
	{Name: "gotify", URL: Must, Token: Must, Example: `url = "https://gotify.example.com" and token_file = "/etc/providerd/gotify"`},
	{Name: "pushover", URL: Must, Token: Must, Example: `url_file = "/etc/providerd/pushover-user" and token_file = "/etc/providerd/pushover"`},
	{Name: "matrix", URL: Must, Token: Must, Example: `url = "https://HOMESERVER?room=!ROOM:HOMESERVER" and token_file = "/etc/providerd/matrix"`},
	{Name: "exec", Command: Must, Example: `command = ["/usr/local/bin/tell-me"]`},
	{Name: "desktop"},
}

// The defaults of a [[notify]].
const (
	DefaultGather = 5 * time.Second
	DefaultMost   = 20

	maxAfter  = 24 * time.Hour
	maxGather = 10 * time.Minute
	maxMost   = 1000
)

// DefaultOn are the topics of a [[notify]] without on.
var DefaultOn = []provider.Topic{provider.TopicUnusable, provider.TopicUsable, provider.TopicAttention, provider.TopicHost}

// InMaintenance is until when trouble of the provider is expected; zero: it is not. Do not use
// it while c changes.
func (c *Config) InMaintenance(id string, now time.Time) (until time.Time) {
	for i := range c.Maintenance {
		if m := &c.Maintenance[i]; m.Providers.Match(id) {
			if at := m.At.Until(now); at.After(until) {
				until = at
			}
		}
	}
	return until
}

// Globs are patterns of ids, such as "gpu*" and "!lab-*".
type Globs []string

// Match reports whether a pattern without "!" matches the id and none with "!" does. If there
// are only those with "!", any other id matches.
func (g Globs) Match(id string) bool {
	wanted := !slices.ContainsFunc(g, func(p string) bool { return !strings.HasPrefix(p, "!") })
	for _, pattern := range g {
		without, exclude := strings.CutPrefix(pattern, "!")
		if ok, err := provider.MatchGlob(without, id); err != nil || !ok {
			continue
		}
		if exclude {
			return false
		}
		wanted = true
	}
	return wanted
}
