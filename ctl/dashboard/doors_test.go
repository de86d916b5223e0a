package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/dashboard"
)

var doors = dashboard.Doors{
	Authority: "127.0.0.1:8800",
	Secret:    "SECRETSECRETSECRETSECRETSE",
	Ticket:    "TICKETTICKETTICKETTICKETTI",
	Nonce:     "NONCENONCENONCENONCENONCEN",
}

// byFetch is a request of a script of our own page.
func byFetch(method, target string, changes ...func(*dashboard.Facts)) dashboard.Facts {
	f := dashboard.Facts{
		Peer: dashboard.PeerOurs, Proto: "HTTP/1.1", Method: method, Target: target, Host: doors.Authority,
		Site: []string{"same-origin"}, Mode: []string{"cors"}, Dest: []string{"empty"},
	}
	if method == http.MethodPost {
		f.Origin, f.Change = []string{doors.Origin()}, []string{"1"}
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

// typed is a navigation that a person began.
func typed(target string, changes ...func(*dashboard.Facts)) dashboard.Facts {
	return byFetch("GET", target, append([]func(*dashboard.Facts){func(f *dashboard.Facts) {
		f.Site, f.Mode, f.Dest = []string{"none"}, []string{"navigate"}, []string{"document"}
	}}, changes...)...)
}

// byForm is a form of our own page, whose policy makes the browser hide the origin.
func byForm(target string, changes ...func(*dashboard.Facts)) dashboard.Facts {
	return byFetch("POST", target, append([]func(*dashboard.Facts){func(f *dashboard.Facts) {
		f.Change, f.Content = nil, []string{"application/x-www-form-urlencoded"}
		f.Origin, f.Mode, f.Dest = []string{"null"}, []string{"navigate"}, []string{"document"}
	}}, changes...)...)
}

// bare is a request of a client that is no browser.
func bare(method, target string, changes ...func(*dashboard.Facts)) dashboard.Facts {
	return byFetch(method, target, append([]func(*dashboard.Facts){func(f *dashboard.Facts) {
		f.Site, f.Mode, f.Dest, f.Origin = nil, nil, nil, nil
	}}, changes...)...)
}

func TestDoors_LetIn(t *testing.T) {
	base := doors.Base()
	for name, tc := range map[string]struct {
		facts dashboard.Facts
		place dashboard.Place
		nonce bool
	}{
		"Typed":              {typed(base), dashboard.Views, false},
		"TypedWithoutSlash":  {typed(strings.TrimSuffix(base, "/")), dashboard.Slashless, false},
		"Link":               {byFetch("GET", base+"models?sort=id"), dashboard.Views, false},
		"Asset":              {byFetch("GET", base+"assets/0a1b/app.js"), dashboard.Views, false},
		"Head":               {bare("HEAD", base), dashboard.Views, false},
		"EscapedID":          {byFetch("GET", base+"provider/ollama%3Agpu"), dashboard.Views, false},
		"Fetch":              {byFetch("GET", base+"api/providers/status"), dashboard.API, false},
		"FetchPost":          {byFetch("POST", base+"api/providers/refresh"), dashboard.API, false},
		"FetchOfTheSameMode": {byFetch("POST", base+"api/providers/refresh", origin("null")), dashboard.API, false},
		"Form":               {byForm(base + "refresh"), dashboard.Views, true},
		"FormWithOrigin":     {byForm(base+"refresh", origin(doors.Origin())), dashboard.Views, true},
		"Curl":               {bare("GET", base+"api/events?follow=1"), dashboard.API, false},
		"CurlPost":           {bare("POST", base+"api/providers/refresh"), dashboard.API, false},
		"OnMacOS":            {byFetch("POST", base+"api/providers/refresh", peer(dashboard.PeerUntold)), dashboard.API, false},
		"ReadByUnknown":      {byFetch("GET", base, peer(dashboard.PeerUnknown)), dashboard.Views, false},
		"Ticket": {typed("/"+doors.Ticket+"/", func(f *dashboard.Facts) {
			f.Site = []string{"cross-site"} // from a file
		}), dashboard.Entrance, false},
		"TicketOfAnOldBrowser": {bare("GET", "/"+doors.Ticket+"/"), dashboard.Entrance, false},
	} {
		entry, refusal := doors.Enter(tc.facts)
		if refusal != nil {
			t.Errorf("%s: refused with %d: %s", name, refusal.Status, refusal.Why.Message)
		} else if entry.Place != tc.place || entry.NonceWanted != tc.nonce {
			t.Errorf("%s: %+v", name, entry)
		}
	}
}

func peer(p dashboard.Peer) func(*dashboard.Facts) { return func(f *dashboard.Facts) { f.Peer = p } }
func host(h string) func(*dashboard.Facts)         { return func(f *dashboard.Facts) { f.Host = h } }
func origin(o ...string) func(*dashboard.Facts)    { return func(f *dashboard.Facts) { f.Origin = o } }
func site(s ...string) func(*dashboard.Facts)      { return func(f *dashboard.Facts) { f.Site = s } }
func changeHeader(v ...string) func(*dashboard.Facts) {
	return func(f *dashboard.Facts) { f.Change = v }
}
func content(kind string) func(*dashboard.Facts) {
	return func(f *dashboard.Facts) { f.Content = []string{kind} }
}

func TestDoors_Refuse(t *testing.T) {
	base := doors.Base()
	status, refresh := base+"api/providers/status", base+"api/providers/refresh"
	for name, tc := range map[string]struct {
		facts  dashboard.Facts
		status int
	}{
		"AnotherUser":         {typed(base, peer(dashboard.PeerAnother)), 403},
		"AnotherUserNowhere":  {typed("/", peer(dashboard.PeerAnother)), 403},
		"UnknownChanges":      {byFetch("POST", refresh, peer(dashboard.PeerUnknown)), 403},
		"UnknownForm":         {byForm(base+"refresh", peer(dashboard.PeerUnknown)), 403},
		"Localhost":           {typed(base, host("localhost:8800")), 403},
		"ReboundName":         {typed(base, host("evil.example:8800")), 403},
		"NameThatBegins":      {typed(base, host("127.0.0.1:8800.evil.example")), 403},
		"OtherPort":           {typed(base, host("127.0.0.1:8801")), 403},
		"WithoutPort":         {typed(base, host("127.0.0.1")), 403},
		"OtherSpelling":       {typed(base, host("127.1:8800")), 403},
		"WithUser":            {typed(base, host("u@127.0.0.1:8800")), 403},
		"NoHost":              {typed(base, host("")), 403},
		"Root":                {typed("/"), 404},
		"Favicon":             {byFetch("GET", "/favicon.ico"), 404},
		"WrongSecret":         {typed("/SECRETSECRETSECRETSECRETSX/"), 404},
		"PrefixOfSecret":      {typed(base[:len(base)-2] + "/"), 404},
		"SecretAndMore":       {typed(base[:len(base)-1] + "A/"), 404},
		"OtherCase":           {typed(strings.ToLower(base)), 404},
		"EscapedSecret":       {typed("/%53ECRETSECRETSECRETSECRETSE/"), 404},
		"TwoSlashes":          {typed("/" + base), 404},
		"DotBefore":           {typed("/." + base), 404},
		"DotsAfter":           {typed(base + ".."), 404},
		"DotsEscaped":         {typed(base + "%2e%2E/x"), 404},
		"HalfEscapedDots":     {typed(base + ".%2e/api/providers/status"), 404},
		"SlashEscaped":        {typed(base + "api%2Fproviders/status"), 404},
		"BackslashEscaped":    {typed(base + "..%5Cx"), 404},
		"NulEscaped":          {typed(base + "provider/a%00"), 404},
		"EmptySegment":        {typed(base + "/models"), 404},
		"BadEscape":           {typed(base + "%zz"), 404},
		"SecretInTheQuery":    {typed("/?" + base), 404},
		"Absolute":            {typed("http://127.0.0.1:8800" + base), 400},
		"AbsoluteForeign":     {typed("http://evil.example" + base), 400},
		"Star":                {bare("OPTIONS", "*"), 404},
		"Connect":             {bare("CONNECT", "127.0.0.1:8800"), 404},
		"HTTP10":              {typed(base, func(f *dashboard.Facts) { f.Proto = "HTTP/1.0" }), 505},
		"HTTP2":               {typed(base, func(f *dashboard.Facts) { f.Proto = "HTTP/2.0" }), 505},
		"CrossSiteLink":       {typed(base, site("cross-site")), 403},
		"SameSite":            {byFetch("GET", status, site("same-site")), 403}, // another port
		"UnknownSite":         {byFetch("GET", status, site("future")), 403},
		"NoneByFetch":         {byFetch("GET", status, site("none")), 403},
		"NoneInAFrame":        {typed(base, func(f *dashboard.Facts) { f.Dest = []string{"iframe"} }), 403},
		"ModeAlone":           {byFetch("GET", status, site()), 403},
		"ForeignOrigin":       {bare("GET", status, origin("http://evil.example")), 403},
		"OriginOfAnotherPort": {bare("GET", status, origin("http://127.0.0.1:8801")), 403},
		"OriginOfLocalhost":   {bare("GET", status, origin("http://localhost:8800")), 403},
		"NullOrigin":          {bare("POST", refresh, origin("null")), 403},
		"NullOriginElsewhere": {byForm(base+"refresh", site("cross-site")), 403},
		"NullOriginTyped":     {typed(base, origin("null")), 403},
		"EmptyOrigin":         {bare("GET", status, origin("")), 403},
		"TwoOrigins":          {byFetch("POST", refresh, origin(doors.Origin(), "http://evil.example")), 400},
		"TwoSites":            {byFetch("GET", status, site("same-origin", "cross-site")), 400},
		"TwoChanges":          {byFetch("POST", refresh, changeHeader("1", "1")), 400},
		"NoHeader":            {byFetch("POST", refresh, changeHeader()), 403},
		"OtherValue":          {byFetch("POST", refresh, changeHeader("0")), 400},
		"FormOnTheAPI":        {byForm(refresh), 403},
		"TextForm":            {byForm(base+"refresh", content("text/plain")), 403},
		"Upload":              {byForm(base+"refresh", content("multipart/form-data; boundary=x")), 403},
		"TypedPost":           {typed(base+"refresh", func(f *dashboard.Facts) { f.Method = "POST" }), 403},
		"Chunked":             {byFetch("POST", refresh, func(f *dashboard.Facts) { f.Chunked, f.Length = true, -1 }), 411},
		"Large":               {byFetch("POST", refresh, func(f *dashboard.Facts) { f.Length = dashboard.MaxBody + 1 }), 413},
		"GetWithABody":        {byFetch("GET", status, func(f *dashboard.Facts) { f.Length = 2 }), 400},
		"TicketByScript":      {byFetch("GET", "/"+doors.Ticket+"/"), 403},
		"TicketInAFrame": {typed("/"+doors.Ticket+"/", func(f *dashboard.Facts) {
			f.Site, f.Dest = []string{"cross-site"}, []string{"iframe"}
		}), 403},
		"TicketByHead":       {bare("HEAD", "/"+doors.Ticket+"/"), 405},
		"BelowTheTicket":     {bare("GET", "/"+doors.Ticket+"/api/providers/status"), 404},
		"PostWithoutSlash":   {byFetch("POST", strings.TrimSuffix(base, "/")), 405},
		"TicketWithoutSlash": {bare("GET", "/"+doors.Ticket), 404},
	} {
		if entry, refusal := doors.Enter(tc.facts); refusal == nil {
			t.Errorf("%s: let in to %+v", name, entry)
		} else if refusal.Status != tc.status {
			t.Errorf("%s: %d %s, want %d", name, refusal.Status, refusal.Why.Message, tc.status)
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"} {
		for _, target := range []string{base, status} {
			_, refusal := doors.Enter(bare(method, target))
			if refusal == nil || refusal.Status != 405 || refusal.Allow == "" {
				t.Errorf("%s %s: %+v", method, target, refusal)
			}
		}
	}
}

// A dashboard without a ticket has no path for an empty one.
func TestDoors_NoTicket(t *testing.T) {
	d := doors
	d.Ticket = ""
	if _, refusal := d.Enter(typed("//")); refusal == nil || refusal.Status != 404 {
		t.Errorf("%+v", refusal)
	}
}

func TestDoors_ReadOnly(t *testing.T) {
	d := doors
	d.ReadOnly = true
	for _, f := range []dashboard.Facts{byFetch("POST", d.Base()+"api/providers/refresh"), byForm(d.Base() + "refresh")} {
		if _, refusal := d.Enter(f); refusal == nil || refusal.Status != 403 || !strings.Contains(refusal.Why.Hint, "--read-only") {
			t.Errorf("%s: %+v", f.Target, refusal)
		}
	}
	if _, refusal := d.Enter(byFetch("GET", d.Base()+"api/providers/status")); refusal != nil {
		t.Errorf("reading: %+v", refusal)
	}
}

func TestDoors_Proves(t *testing.T) {
	for _, tc := range []struct {
		nonces []string
		want   bool
	}{
		{nil, false}, {[]string{""}, false}, {[]string{doors.Nonce[:25]}, false},
		{[]string{doors.Nonce}, true}, {[]string{doors.Nonce, doors.Nonce}, false},
	} {
		if got := doors.Proves(tc.nonces); got != tc.want {
			t.Errorf("%q: %v", tc.nonces, got)
		}
	}
}

// Whatever a request looks like, it is let in only with the secrets, the name, the peer and
// the origin that the doors ask for.
func FuzzDoors(f *testing.F) {
	base := doors.Base()
	f.Add(2, "GET", base, doors.Authority, "same-origin", "cors", "empty", "", "")
	f.Add(2, "POST", base+"api/providers/refresh", doors.Authority, "same-origin", "cors", "empty", doors.Origin(), "1")
	f.Add(0, "GET", base+"%2e%2e/api/", "localhost:8800", "none", "navigate", "document", "null", "")
	f.Add(2, "GET", "/"+doors.Ticket+"/", doors.Authority, "cross-site", "navigate", "document", "", "")
	f.Fuzz(func(t *testing.T, who int, method, target, host, site, mode, dest, origin, change string) {
		facts := dashboard.Facts{Peer: dashboard.Peer(who), Proto: "HTTP/1.1", Method: method, Target: target, Host: host}
		for _, header := range []struct {
			to    *[]string
			value string
		}{{&facts.Site, site}, {&facts.Mode, mode}, {&facts.Dest, dest}, {&facts.Origin, origin}, {&facts.Change, change}} {
			if header.value != "" {
				*header.to = []string{header.value}
			}
		}
		entry, refusal := doors.Enter(facts)
		if refusal != nil {
			if refusal.Status < 400 || refusal.Why == nil || refusal.Why.Message == "" {
				t.Fatalf("%+v: %+v", facts, refusal)
			}
			return
		}
		path, _, _ := strings.Cut(target, "?")
		ticket := path == "/"+doors.Ticket+"/" && method == "GET"
		switch {
		case facts.Peer == dashboard.PeerAnother, host != doors.Authority:
		case !ticket && path+"/" != base && !strings.HasPrefix(path, base):
		case !ticket && (site == "cross-site" || site == "same-site"):
		case origin != "" && origin != doors.Origin() && (origin != "null" || site != "same-origin"):
		case method != "GET" && method != "HEAD" && method != "POST":
		case method == "POST" && change != "1" && !entry.NonceWanted:
		case method == "POST" && facts.Peer == dashboard.PeerUnknown:
		default:
			return
		}
		t.Fatalf("let in to %+v: %+v", entry, facts)
	})
}
