package provider

import "strings"

// A Setup is what a daemon knows of itself that its clients may be unable to see. It is
// part of [DaemonInfo], and absent in those of older daemons. It has no secrets.
type Setup struct {
	System        bool              `json:"system"`                // the daemon is the whole machine's, not one user's
	AdminGroup    string            `json:"admin_group,omitempty"` // its members may change the daemon, like root and the daemon's own user
	Caller        Caller            `json:"caller"`
	Config        ConfigInForce     `json:"config"`
	Keys          []KeyInUse        `json:"keys"`               // of the providers that have or need one
	Proxies       map[string]string `json:"proxies"`            // those of the variables HTTP_PROXY, HTTPS_PROXY, NO_PROXY and ALL_PROXY that are set
	Detected      []string          `json:"detected,omitempty"` // the ids of the providers that are watched on any machine, and that no file names
	ClockJumpedMS int64             `json:"clock_jumped_ms"`    // by how much the clock was set since the daemon started; negative if back
}

// A Caller is the user who sent the request.
type Caller struct {
	UID   *uint32 `json:"uid,omitempty"`  // absent if the system does not report it
	Admin bool    `json:"admin"`          // may change the daemon, and read its log
	Hint  string  `json:"hint,omitempty"` // how to do what only an administrator may do
}

// ConfigInForce is where the configuration that the daemon runs with is from.
type ConfigInForce struct {
	LoadedAt      Time            `json:"loaded_at,omitzero"`
	ModifiedAt    Time            `json:"modified_at,omitzero"`     // when the file had last been changed before it was read
	ReloadRefused bool            `json:"reload_refused,omitempty"` // the last reload was refused, so the earlier configuration is still in force
	RestartNeeded []string        `json:"restart_needed,omitempty"` // settings in it that wait for a restart
	Warnings      int             `json:"warnings"`                 // what is allowed but hardly meant
	Faults        int             `json:"faults"`                   // files that it names but that cannot be used
	Problems      []ConfigProblem `json:"problems,omitempty"`       // the warnings and faults; for administrators
}

// A ConfigProblem is a warning or a fault of the configuration.
type ConfigProblem struct {
	ID      string `json:"id,omitempty"`   // of the provider, for a fault
	Line    int    `json:"line,omitempty"` // from 1; absent if it has no place in the file
	Message string `json:"message"`
	Excerpt string `json:"excerpt,omitempty"` // the line with a marker below
	Fix     string `json:"fix,omitempty"`
}

// A KeyInUse is where a provider's key is from, and what is odd about it.
type KeyInUse struct {
	ID      string `json:"id"`                // of the provider
	Source  string `json:"source,omitempty"`  // "env NAME", or "file", for administrators "file PATH"
	Set     bool   `json:"set"`               // there is one, and it is sent
	Problem string `json:"problem,omitempty"` // its form, or why there is none; never a part of it

	Detected bool `json:"detected,omitempty"` // the provider is watched on any machine, and no file names it
}

// ProxiesOf reads the variables for proxies as Go programs do: in capitals first. User,
// password and path are left out.
func ProxiesOf(getenv func(string) string) map[string]string {
	set := map[string]string{}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"} {
		value := getenv(name)
		if value == "" {
			value = getenv(strings.ToLower(name))
		}
		switch {
		case strings.TrimSpace(value) == "":
		case name == "NO_PROXY":
			hosts := strings.Split(value, ",")
			for i, host := range hosts {
				if hosts[i] = strings.TrimSpace(host); strings.Contains(host, "@") { // it belongs elsewhere
					hosts[i] = proxyShown(hosts[i])
				}
			}
			set[name] = Printable(shortened(strings.Join(hosts, ",")))
		default:
			set[name] = Printable(shortened(proxyShown(strings.TrimSpace(value))))
		}
	}
	return set
}

// proxyShown is a proxy's address without its password.
func proxyShown(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if ok && isScheme(scheme) {
		scheme += "://"
	} else {
		scheme, rest = "", address
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		scheme, rest = scheme+"***@", rest[at+1:]
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + rest
}

// isScheme reports whether s is a URL's scheme (RFC 3986, 3.1), and not part of a password.
func isScheme(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("+-.", r))
	})
}

// shortened keeps one variable from filling a reply.
func shortened(s string) string {
	const most = 400
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
