package config

import (
	"net/url"
	"slices"
	"strings"
)

// A Feed is a vendor's own status feed: its address, its format, and the components that stand
// for this provider. Without a URL there is none.
type Feed struct {
	URL    string
	Format string // one of [FeedFormats]
	// Components are names in the feed; none: all of it.
	Components []string
}

// The formats of status feeds; daemon/feed reads them.
const (
	Statuspage  = "statuspage"
	IncidentIO  = "incidentio"
	BetterStack = "betterstack"
	Instatus    = "instatus"
	GoogleCloud = "googlecloud"
	AWS         = "aws"
	RSS         = "rss"
)

// FeedFormats are the names of the formats, in the order of the documentation.
var FeedFormats = []string{Statuspage, IncidentIO, BetterStack, Instatus, GoogleCloud, AWS, RSS}

// A feedSetting is the value of status_feed.
type feedSetting struct {
	given bool
	on    bool
	feed  Feed // from a table
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
				"no status feed is known for kind %s", kind.Name))
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

// feed reads a feed from a table.
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
			t.reject(t.elem("components", i), flawf("write "+example, "the name of a component is empty or contains control characters"))
		}
	}
	f.Components = names
	return f
}

// feedURL checks and normalises the address of a feed. It must have no credentials, since feeds
// are fetched without any.
func feedURL(raw string) (string, *flaw) {
	const example = `write url = "https://status.example.com/api/v2/summary.json"`
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "", flawf(example, "url is empty")
	case strings.Contains(raw, "@"):
		return "", flawf("leave out what comes before the @", "url has a user or a password, which is never sent to a status feed")
	case err != nil || strings.ContainsFunc(raw, func(r rune) bool { return r == ' ' || isControl(r) }):
		return "", flawf(example, "url is not a web address")
	case u.Scheme != "https" && !(u.Scheme == "http" && IsLoopback(u.Hostname())):
		return "", flawf(example, "url must start with https://")
	case u.Hostname() == "" || u.Port() != "" && !validPort(u.Port()):
		return "", flawf(example, "url has no host, or an invalid port")
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(raw, "?#"):
		return "", flawf("leave out what follows the path", "url has a query or a fragment")
	}
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

// setFeed decides which feed is followed: the one in the setting, or the vendor's own if there
// is a key for the vendor's own address. The vendor's feed says nothing about a proxy.
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
