package intermediary

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// wall recognises what wants a person to sign in, by a redirect to a sign-in page or by the
// page itself.
func (a *Answer) wall() Speaker {
	switch to := a.To; {
	case to != nil:
		if who := signInAt(to); who != "" {
			return Speaker{who, signsIn}
		}
		if filter := filterAt(to); filter != "" {
			return Speaker{filter, filters}
		}
		if isPortal(to.Host+to.Path) || containsAny(to.Host+to.Path, portalPlaces) || hasParameter(to, portalQuery) || a.isGatewaysAddress(to) {
			return Speaker{"a captive portal", keepsOff}
		}
		return Speaker{}
	case a.Status == 401 && strings.TrimSpace(string(a.Body)) == "{}":
		// oauth2-proxy, to clients that take JSON: oauth2-proxy/oauth2-proxy oauthproxy.go
		// errorJSON
		return Speaker{"a login such as oauth2-proxy", signsIn}
	case a.Status == 401 && !a.saysProvider() && strings.Contains(a.Header.Get("Www-Authenticate"), "authorization_uri="):
		// Azure's Easy Auth, to clients that are not browsers:
		// learn.microsoft.com/azure/app-service/overview-authentication-authorization
		return Speaker{"a login such as Microsoft Entra ID", signsIn}
	case a.Led && signInAt(a.URL) != "":
		if a.saysProvider() {
			return Speaker{}
		}
		return Speaker{cmp.Or(signInWho(a.page()), signInAt(a.URL)), signsIn}
	case a.Status != 401 && a.Status != 403 && a.Status/100 != 2 || !a.Page:
		return Speaker{}
	}
	page := a.page()
	if isPortal(titleOf(page)) {
		return Speaker{"a captive portal", keepsOff}
	}
	if to := a.refreshesTo(page); to != nil {
		if who := signInAt(to); who != "" {
			return Speaker{who, signsIn}
		}
		if to.Host != a.URL.Host && a.URL.Scheme == "http" {
			return Speaker{"a captive portal at " + to.Host, keepsOff}
		}
	}
	if to := a.scriptsTo(page); to != nil && signInAt(to) != "" {
		return Speaker{signInAt(to), signsIn}
	}
	if isSignIn(page) {
		return Speaker{cmp.Or(signInWho(page), "a sign-in page"), signsIn}
	}
	return Speaker{}
}

// isGatewaysAddress reports whether a temporary redirect points from a named host to a bare
// IP address: a captive portal often has no name.
func (a *Answer) isGatewaysAddress(to *url.URL) bool {
	ip, err := netip.ParseAddr(to.Hostname())
	return err == nil && !ip.IsLoopback() && to.Hostname() != a.URL.Hostname() && a.Status != 301 && a.Status != 308
}

// signInHosts are the sign-in services, by the ends of their host names, from their
// documents (Cloudflare One, Microsoft Entra, Okta, Auth0) or as reported.
var signInHosts = []struct{ end, who string }{
	{".cloudflareaccess.com", "Cloudflare Access"},
	{"login.microsoftonline.com", "Microsoft Entra ID"},
	{"login.windows.net", "Microsoft Entra ID"},
	{".b2clogin.com", "Microsoft Entra ID"},
	{"accounts.google.com", "Google's sign-in"},
	{".okta.com", "Okta"},
	{".oktapreview.com", "Okta"},
	{".auth0.com", "Auth0"},
	{".onelogin.com", "OneLogin"},
	{".duosecurity.com", "Duo"},
	{".pingidentity.com", "PingOne"},
	{".pingone.com", "PingOne"},
	{".jumpcloud.com", "JumpCloud"},
	{".amazoncognito.com", "Amazon Cognito"},
	{"login.tailscale.com", "Tailscale"},
	{".goauthentik.io", "authentik"},
}

// The path of a sign-in page has one of signInSteps as a segment, or one of signInParts
// within a segment: oauth2-proxy (oauth2), Authelia and others (login), Keycloak
// (realms), Azure (.auth), Pomerium, CAS and SAML.
var (
	signInSteps = []string{"sso", "auth", ".auth", "cas", "realms", "adfs", ".pomerium", "idp", "authorize", "authenticate"}
	signInParts = []string{"login", "log-in", "log_in", "signin", "sign-in", "sign_in", "logon", "oauth", "saml", "oidc", "openid"}
)

var signInLabels = []string{"auth", "login", "sso", "authelia", "authentik", "keycloak", "idp", "signin", "accounts", "oauth", "oauth2", "adfs", "cas", "idm"}

// signInQuery are the parameters that say where a sign-in page should return to.
var signInQuery = []string{"rd", "redirect_uri", "samlrequest", "client_id", "return_to", "returnurl", "relaystate", "wantsurl", "goto"}

// portalQuery are the parameters that access points pass to a captive portal: those of
// CoovaChilli (uamip), pfSense (redirurl), Cisco (switch_url) and Meraki (base_grant_url),
// all reported.
var portalQuery = []string{"uamip", "redirurl", "switch_url", "base_grant_url", "ap_mac", "client_mac", "userurl", "ssid"}

func hasParameter(u *url.URL, names []string) bool {
	for name := range u.Query() {
		if slices.Contains(names, strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// signInAt names the sign-in service at an address; "" if it is not a sign-in page.
func signInAt(u *url.URL) string {
	host, path := strings.ToLower(u.Hostname()), strings.ToLower(u.Path)
	for _, s := range signInHosts {
		if strings.HasSuffix("."+host, "."+strings.TrimPrefix(s.end, ".")) {
			return s.who
		}
	}
	switch {
	case strings.Contains(path, "goauthentik.io"):
		return "authentik"
	case strings.Contains(path, "/protocol/openid-connect/"):
		return "Keycloak"
	case strings.HasPrefix(path, "/oauth2/"):
		return "oauth2-proxy"
	case strings.Contains(path, "/cdn-cgi/access/"):
		return "Cloudflare Access"
	}
	label, _, _ := strings.Cut(host, ".")
	steps := strings.Split(path, "/")
	if hasParameter(u, signInQuery) || slices.Contains(signInLabels, label) || containsAny(path, signInParts) ||
		slices.ContainsFunc(steps, func(s string) bool { return slices.Contains(signInSteps, s) }) {
		return pageAt(u)
	}
	return ""
}

// pageAt names a sign-in page by its host.
func pageAt(u *url.URL) string {
	return "a sign-in page at " + u.Host
}

// filterAt names the web filter that an address belongs to; "" if none.
func filterAt(u *url.URL) string {
	for i := range marks {
		m := &marks[i]
		if m.does == filters && slices.ContainsFunc(m.body, func(s string) bool {
			return strings.Contains(strings.ToLower(u.Host+u.Path), strings.TrimSuffix(s, ".net"))
		}) {
			return m.who
		}
	}
	return ""
}

var portalWords = []string{"captive", "hotspot", "wifi", "wi-fi", "wlan", "guest", "splash", "network login", "network access", "internet access", "wispr", "terms of use"}

// portalPlaces are found in the addresses of portals, and in the titles of many web
// applications.
var portalPlaces = []string{"portal.", "/portal"}

func isPortal(text string) bool { return containsAny(text, portalWords) }

var (
	pageTitle   = regexp.MustCompile(`<title[^>]*>([^<]{0,200})`)
	refreshPage = regexp.MustCompile(`http-equiv=["']?refresh["']?[^>]{0,40}url=["']?([^"'>\s]{1,500})`)
	scriptPage  = regexp.MustCompile(`location(?:\.href)?(?:\s*=\s*|\.(?:replace|assign)\(\s*)["']([^"'\s]{1,500})["']`)
	typePass    = regexp.MustCompile(`type=["']?password`)
)

// titleOf is the title of a page, which must be in lower case.
func titleOf(page string) string {
	if m := pageTitle.FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

// refreshesTo is where a page sends a browser at once; nil if nowhere.
func (a *Answer) refreshesTo(page string) *url.URL {
	m := refreshPage.FindStringSubmatch(page)
	if m == nil {
		return nil
	}
	return a.parsed(m[1])
}

// scriptsTo is where a page's script sends a browser.
func (a *Answer) scriptsTo(page string) *url.URL {
	m := scriptPage.FindStringSubmatch(page)
	if m == nil {
		return nil
	}
	return a.parsed(m[1])
}

func (a *Answer) parsed(where string) *url.URL {
	to, err := a.URL.Parse(where)
	if err != nil {
		return nil
	}
	return to
}

var signInTitles = []string{"sign in", "sign-in", "signin", "log in", "log-in", "login", "logon", "single sign-on", "single sign on", "authentication required", "authenticate", "password"}

// isSignIn recognises a sign-in page by its title, by a password field, or by what it
// passes on to such a page (SAML's POST binding).
func isSignIn(page string) bool {
	return containsAny(titleOf(page), signInTitles) || typePass.MatchString(page) || strings.Contains(page, `name="samlrequest"`)
}

// signInWho is whose sign-in page it is; "" if it does not say.
func signInWho(page string) string {
	for i := range marks {
		m := &marks[i]
		if m.does == signsIn && m.header == "" && m.isIn(page) {
			return m.who
		}
	}
	return ""
}
