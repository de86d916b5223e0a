package feed

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// rssStates are the states of an incident in an item; true means over. The words are those
// of Statuspage's and incident.io's history feeds, and of status.x.ai.
var rssStates = map[string]bool{
	"active": false, "investigating": false, "identified": false, "monitoring": false, "update": false,
	"in progress": false, "verifying": false,
	"resolved": true, "completed": true, "postmortem": true, "scheduled": true,
}

// rssSeverities are the severities in an item.
var rssSeverities = words{
	"available":   provider.ImpactNone,
	"info":        provider.ImpactMinor,
	"maintenance": provider.ImpactMaintenance,
	"degraded":    provider.ImpactMinor,
	"disruption":  provider.ImpactMinor,
	"outage":      provider.ImpactCritical,
}

var (
	// rssComponent is the "[API] " before a title.
	rssComponent = regexp.MustCompile(`^\[([^\[\]]+)\]\s*`)
	rssStatus    = regexp.MustCompile(`(?i)\bstatus:\s*([a-z ]+)`)
	rssSeverity  = regexp.MustCompile(`(?i)\bseverity:\s*([a-z ]+)`)
	// rssStrong is how Statuspage begins each update, the newest first.
	rssStrong = regexp.MustCompile(`(?i)<strong>\s*([a-z ]+?)\s*</strong>`)
)

type rssItem struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	Description string   `xml:"description"`
	Date        string   `xml:"pubDate"`
	Categories  []string `xml:"category"`
}

// readRSS reads RSS 2.0 (rssboard.org/rss-specification), in which each item is an incident.
// RSS has neither components nor states. A component is in brackets before the title, or a
// category; a state is a category, or in the description. An item that does not say whether
// it is over counts as unknown.
func readRSS(body []byte) (*page, error) {
	var doc struct {
		XMLName xml.Name `xml:"rss"`
		Channel *struct {
			Title string    `xml:"title"`
			Items []rssItem `xml:"item"`
		} `xml:"channel"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("broken XML in line %d", syntax.Line)
		}
		return nil, errors.New("its root is not rss")
	}
	if doc.Channel == nil || strings.TrimSpace(doc.Channel.Title) == "" {
		return nil, errors.New("it lacks a channel with a title")
	}
	p := &page{}
	for i := range doc.Channel.Items {
		if e, open := doc.Channel.Items[i].event(); open {
			p.events = append(p.events, e)
		}
	}
	return p, nil
}

func (i *rssItem) event() (e event, open bool) {
	e = event{since: moment(i.Date), url: i.Link}
	if m := rssComponent.FindStringSubmatch(i.Title); m != nil {
		e.name, e.affects = i.Title[len(m[0]):], []string{m[1]}
		if over, known := rssStates[fold(m[1])]; known { // "[RESOLVED] …", as on Azure's page
			e.affects = nil
			if over {
				return e, false
			}
		}
	} else {
		e.name = i.Title
	}
	e.impact = provider.ImpactUnknown
	state := first(rssStatus, i.Description)
	if state == "" {
		state = first(rssStrong, i.Description)
	}
	severity := first(rssSeverity, i.Description)
	for _, c := range i.Categories {
		word := fold(c)
		_, isState := rssStates[word]
		_, isSeverity := rssSeverities[word]
		switch {
		case isState && state == "":
			state = word
		case isSeverity && severity == "":
			severity = word
		case !isState && !isSeverity:
			e.affects = append(e.affects, c)
		}
	}
	e.word = strings.TrimSpace(severity + " " + state)
	if severity != "" {
		e.impact = rssSeverities.mean(severity)
	}
	return e, !rssStates[state] && e.impact != provider.ImpactNone
}

// first is the pattern's first match, in lower case.
func first(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return fold(m[1])
	}
	return ""
}
