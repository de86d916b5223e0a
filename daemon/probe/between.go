package probe

import (
	"net/url"
	"strings"

	"github.com/providerd/providerd/daemon/probe/intermediary"
	"github.com/providerd/providerd/store/provider"
)

// between finds that something else answered in the provider's place, and says what to do
// there. The finding is zero if the provider itself may have answered.
func (r *run) between(a *answer) finding {
	if a.err != nil || a.status == 0 {
		return finding{}
	}
	seen := a.seen()
	s := intermediary.Named(seen)
	if _, is := r.certificateAsked(a); is && s.Who == "" {
		return finding{} // the answer is about the handshake, and comes from the server that did it
	}
	if s.Who == "" {
		s = intermediary.Unnamed(seen, r.meant())
	}
	if r.isProxys(a, s) {
		return r.proxySays(a.status, a.statusLine())
	}
	return r.spoken(a, seen, s)
}

// unlessBetween replaces a verdict if the answer that decided it did not come from the
// provider.
func (r *run) unlessBetween(found finding) finding {
	a := r.last
	if found.saw != provider.WrongService && found.saw != provider.BadResponse || a == nil ||
		r.p.kind.Type == provider.Generic && !a.led || r.p.recognise(a) != "" { // a generic service may answer in any shape
		return found
	}
	if s := r.betweenByName(a); s.saw != "" {
		return s
	}
	return found
}

// orBetween is what a kind makes of an answer. If the kind sees another program, the
// finding names the intermediary, and keeps the kind's advice.
func (r *run) orBetween(found finding, a *answer) finding {
	if found.saw != provider.WrongService {
		return found
	}
	if s := r.between(a); s.saw != "" {
		s.detail = joined(s.detail, found.detail)
		return s
	}
	return found
}

// betweenByName is between, limited to what is certain whatever the kind makes of the
// answer.
func (r *run) betweenByName(a *answer) finding {
	if a.err != nil || a.status == 0 {
		return finding{}
	}
	seen := a.seen()
	s := intermediary.Named(seen)
	if s.Who != "" && r.isProxys(a, s) {
		return r.proxySays(a.status, a.statusLine())
	}
	return r.spoken(a, seen, s)
}

// spoken makes a finding of a speaker.
func (r *run) spoken(a *answer, seen *intermediary.Answer, s intermediary.Speaker) finding {
	if s.Who == "" {
		return finding{}
	}
	k := r.p.kind
	detail, hint := s.Tell(seen, r.meant())
	if name := k.AddrEnv; name != "" && k.Type == provider.Cloud && !r.p.provider.BaseURLGiven { // a local kind's variable is often no URL
		hint = strings.NewReplacer("base_url", name+" or base_url", "then: providerctl reload", "then restart providerd").Replace(hint)
	}
	return finding{saw: provider.Intermediary, detail: a.statusLine() + detail, hint: hint}
}

// meant describes the server that was asked.
func (r *run) meant() intermediary.Meant {
	k := r.p.kind
	return intermediary.Meant{Title: k.title, Type: k.Type, Gateway: k.gateway, Password: r.p.base.User != nil}
}

// seen is the answer in the form in which package intermediary reads it.
func (a *answer) seen() *intermediary.Answer {
	return &intermediary.Answer{
		Status: a.status, Header: a.header, Body: a.body, Page: a.isHTML(), Large: a.large, Broken: a.broken != nil,
		URL: a.request.URL, Led: a.led, Blocked: a.blocked != "", To: a.redirectsTo(), WantsTLS: a.wantsTLS(), Said: a.complaint(),
	}
}

// redirectsTo is where an answer redirects to, if that was not followed; nil if nowhere. A
// client that takes no HTML gets 401 from Authelia, with the sign-in page as its Location
// (authelia/authelia internal/middlewares/authelia_context.go SpecialRedirect).
func (a *answer) redirectsTo() *url.URL {
	if a.blocked == "" && (a.status != 401 || a.header.Get("Location") == "") {
		return nil
	}
	to, err := a.request.URL.Parse(a.header.Get("Location"))
	if err != nil {
		return nil
	}
	return to
}
