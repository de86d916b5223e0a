package provider

import "strings"

// A Setup is what a daemon knows of itself and those who ask it may not be able to see:
// part of [DaemonInfo], and absent in those of older daemons. It holds no secret.
type Setup struct {
	System        bool              `json:"system"`                // it is the whole machine's, not one user's
	AdminGroup    string            `json:"admin_group,omitempty"` // its members may change the daemon, beside root and its own user
	Caller        Caller            `json:"caller"`
	Config        ConfigInForce     `json:"config"`
	Keys          []KeyInUse        `json:"keys"`            // of the providers that have or need one
	Proxies       map[string]string `json:"proxies"`         // the variables HTTP_PROXY, HTTPS_PROXY, NO_PROXY and ALL_PROXY, as far as they are set
	ClockJumpedMS int64             `json:"clock_jumped_ms"` // by how much the clock was set since the daemon started; negative: back
}

// A Caller is whoever sent the request.
type Caller struct {
	UID   *uint32 `json:"uid,omitempty"`  // absent where the system does not tell
	Admin bool    `json:"admin"`          // may change the daemon, and read its log
	Hint  string  `json:"hint,omitempty"` // what to type for what only an administrator may
}

// ConfigInForce is how the configuration that the daemon runs with came to be.
type ConfigInForce struct {
	LoadedAt      Time            `json:"loaded_at,omitzero"`
	ModifiedAt    Time            `json:"modified_at,omitzero"`     // when the file had been changed last before it was read
	ReloadRefused bool            `json:"reload_refused,omitempty"` // the last one; what was in force before still is
	RestartNeeded []string        `json:"restart_needed,omitempty"` // settings in it that wait for a restart
	Warnings      int             `json:"warnings"`                 // what is allowed and hardly meant
	Faults        int             `json:"faults"`                   // files that it names and that cannot be used
	Problems      []ConfigProblem `json:"problems,omitempty"`       // the warnings and faults; for administrators
}

// A ConfigProblem is a warning or a fault of the configuration.
type ConfigProblem struct {
	ID      string `json:"id,omitempty"`   // of the provider, of a fault
	Line    int    `json:"line,omitempty"` // from 1; absent without a place in the file
	Message string `json:"message"`
	Excerpt string `json:"excerpt,omitempty"` // the line with a marker below
	Fix     string `json:"fix,omitempty"`
}

// A KeyInUse says of a provider's key where it comes from and what is odd about it.
type KeyInUse struct {
	ID      string `json:"id"`                // of the provider
	Source  string `json:"source,omitempty"`  // "env NAME", or "file", for administrators "file PATH"
	Set     bool   `json:"set"`               // there is one, and it is sent
	Problem string `json:"problem,omitempty"` // its form, or why there is none; never a part of it
}

// ProxiesOf reads the variables that lead to proxies, each as Go programs do: in capitals
// first. What stands before an @ is left out, and the path.
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

// isScheme reports whether s is what stands before the :// of a URL (RFC 3986, 3.1), and
// no part of a password.
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
