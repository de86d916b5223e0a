package config

import (
	"net/url"
	"slices"
	"strings"
)

// A Feed is a vendor's own status feed: where it is, how it is written, and what
// in it stands for this provider. Without a URL there is none.
type Feed struct {
	URL    string
	Format string // one of [FeedFormats]
	// Components are names as the feed has them; none: all that is in it.
	Components []string
}

// The formats that a status feed may have; daemon/feed reads them.
const (
	Statuspage  = "statuspage"
	IncidentIO  = "incidentio"
	BetterStack = "betterstack"
	Instatus    = "instatus"
	GoogleCloud = "googlecloud"
	AWS         = "aws"
	RSS         = "rss"
)

// FeedFormats are the names of the formats, in the order in which they are
// documented.
var FeedFormats = []string{Statuspage, IncidentIO, BetterStack, Instatus, GoogleCloud, AWS, RSS}

// A feedSetting is what status_feed says.
type feedSetting struct {
	given bool
	on    bool
	feed  Feed // with a table
}

const exampleFeed = `status_feed = { url = "https://status.example.com/api/v2/summary.json", format = "statuspage", components = ["API"] }`

// statusFeed reads status_feed: false, true, or a table of its own.
func (t *table) statusFeed(kind *Kind) feedSetting {
	if !t.has("status_feed") {
		return feedSetting{}
	}
	switch v := t.values["status_feed"].(type) {
	case bool:
		if v && kind != nil && kind.Feed.URL == "" {
			t.reject(t.at("status_feed"), flawf("leave it out, or write "+exampleFeed,
				"no status feed is known of kind %s", kind.Name))
		}
		return feedSetting{given: true, on: v}
	case map[string]any:
		inner := &table{reading: t.reading, node: t.node.child("status_feed"), values: v}
		feed := inner.feed()
		inner.done()
		return feedSetting{given: true, on: true, feed: feed}
	default:
		t.reject(t.at("status_feed"), flawf("write status_feed = false, or "+exampleFeed,
			"status_feed must be true, false or a table, not %s", typeName(v)))
	}
	return feedSetting{given: true}
}

// feed reads a feed of one's own.
func (t *table) feed() (f Feed) {
	var ok bool
	if f.URL, ok = t.text("url", `url = "https://status.example.com/api/v2/summary.json"`); ok {
		if u, flaw := feedURL(f.URL); flaw != nil {
			t.reject(t.at("url"), flaw)
		} else {
			f.URL = u
		}
	} else if t.values["url"] == nil {
		t.reject(t.header(), flawf("write "+exampleFeed, "status_feed has no url"))
	}
	if f.Format, ok = t.text("format", `format = "statuspage"`); !ok {
		if t.values["format"] == nil {
			t.reject(t.header(), flawf("write "+exampleFeed, "status_feed has no format"))
		}
	} else if !slices.Contains(FeedFormats, f.Format) {
		t.reject(t.at("format"), flawf(didYouMean(f.Format, FeedFormats), "unknown format %s", quote(f.Format)))
	}
	const example = `components = ["API"]`
	names, _ := list[string](t, "components", example)
	for i, name := range names {
		if strings.TrimSpace(name) == "" || strings.ContainsFunc(name, isControl) {
			t.reject(t.elem("components", i), flawf("write "+example, "the name of a component is empty or holds control characters"))
		}
	}
	f.Components = names
	return f
}

// feedURL checks and normalises the address of a feed. It is fetched without any
// credential, so it has none.
func feedURL(raw string) (string, *flaw) {
	const example = `write url = "https://status.example.com/api/v2/summary.json"`
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "", flawf(example, "url is empty")
	case strings.Contains(raw, "@"):
		return "", flawf("leave out what stands before the @", "url holds a user or a password, which is sent to no status feed")
	case err != nil || strings.ContainsFunc(raw, func(r rune) bool { return r == ' ' || isControl(r) }):
		return "", flawf(example, "url is no web address")
	case u.Scheme != "https" && !(u.Scheme == "http" && IsLoopback(u.Hostname())):
		return "", flawf(example, "url must start with https://")
	case u.Hostname() == "" || u.Port() != "" && !validPort(u.Port()):
		return "", flawf(example, "url has no host, or a port that does not exist")
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(raw, "?#"):
		return "", flawf("leave out what follows the path", "url holds a query or a fragment")
	}
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

// setFeed decides which feed is followed: the setting's, or the vendor's own where
// there is a key that is for the vendor's own address. What a proxy of it does, its
// vendor's feed does not say.
func (p *Provider) setFeed(kind *Kind, s feedSetting) {
	switch {
	case s.feed.URL != "":
		p.Feed = s.feed
	case s.on, !s.given && !p.Key.IsZero() && isVendors(p.BaseURL, kind.BaseURL):
		p.Feed = kind.Feed
	}
}

// isVendors reports whether an address is at the vendor's own host.
func isVendors(base, vendors string) bool {
	a, errA := url.Parse(base)
	b, errB := url.Parse(vendors)
	return errA == nil && errB == nil && vendors != "" && a.Host == b.Host
}
