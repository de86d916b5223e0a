package intermediary

import (
	"fmt"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// deeds describes each deed, and says what to do about it. Nothing is said about the server
// behind, which did not answer.
var deeds = [...]struct{ says, hint string }{
	asStatus:      {"this is not the server's own answer", "check {who}, which answers at {endpoint} in the server's place; see: providerctl diagnose {id}"},
	refuses:       {"it refuses the request", "{who} in front of {endpoint} refuses the request: allow this machine there, or use an address that bypasses it; see: providerctl diagnose {id}"},
	passesRefusal: {"it, or the server behind it, refuses the request", "check {who} at {endpoint}, and the log of the server behind it: either may refuse this machine, or the host name that {who} sends; see: providerctl diagnose {id}"},
	challenges:    {"it only lets browsers through", "{who} in front of {endpoint} only lets browsers through: exempt this machine or the path {path} there, or use an address that bypasses it"},
	signsIn:       {"it wants a person to sign in", "{who} in front of {endpoint} wants a person to sign in: let programs through there, or use an address that bypasses it"},
	wantsPassword: {"it wants a user name and password of its own", "{who} in front of {endpoint} wants a user name and password: put them into base_url (https://USER:PASSWORD@HOST), then: providerctl reload"},
	reachesNobody: {"it gets no answer from the server behind it", "{who} at {endpoint} gets no answer from the server behind it: start that server, or correct the address it forwards to"},
	waitsInVain:   {"the server behind it does not answer in time", "{who} at {endpoint} gets no answer in time from the server behind it: look at that server's log, or restart it"},
	leadsNowhere:  {"it has no route for {path}", "{who} at {endpoint} has no route for {path}: correct its routes, or correct base_url, then: providerctl reload"},
	filters:       {"it blocks that host", "{who} on this network blocks {endpoint}: ask its administrator to allow that host"},
	keepsOff:      {"it wants a person to sign in to this network", "{who} keeps this machine off the network: sign in with a browser, or use another network"},
	wantsProxyKey: {"it wants a user name and password", "{who} wants a user name and password: put them into the proxy's address, as in http://USER:PASSWORD@HOST:PORT"},
}

// Tell says who answered in whose place, as the text after the status line, and what to do
// about it.
func (s Speaker) Tell(a *Answer, m Meant) (detail, hint string) {
	does := s.does
	if does == reachesNobody && m.Type != provider.Cloud && (a.Status == 504 || a.Status == 524) { // RFC 9110, and Cloudflare's own
		does = waitsInVain
	}
	said, hint := deeds[does].says, deeds[does].hint
	if !a.Page && a.Said.Message != "" && !a.Blocked {
		said = a.Said.Message
	}
	switch {
	case does == reachesNobody && m.Type == provider.Cloud:
		hint = "{who} in front of {endpoint} gets no answer from the vendor's servers: wait, or check the vendor's status page"
	case does == wantsPassword && m.Password:
		hint = "{who} in front of {endpoint} rejects the user name and password in base_url: correct them, then: providerctl reload"
	}
	who := s.Who
	if who == unknown {
		hint = strings.Replace(hint, "{who}", "something", 1)
		if server := a.Header.Get("Server"); server != "" {
			who += " (" + server + ")"
		}
	}
	by := fmt.Sprintf(": %s answers, not %s: ", who, m.Title)
	if does == passesRefusal {
		by = " through " + who + ": "
	}
	named := strings.NewReplacer("{who}", s.Who, "{path}", a.URL.Path)
	return by + named.Replace(said), named.Replace(hint)
}
