package ctl

import (
	"net/url"
	"runtime"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

const (
	openAIKeyVariable = "OPENAI_API_KEY"
	oldOpenAIVariable = "OPENAI_API_BASE" // of OpenAI's library before 1.0, and still of aider and LangChain
	keyEnvVariable    = "PROVIDERD_KEY_ENV"
	noKey             = "none" // OpenAI's library needs a key even if the server does not
)

// longEnough is how long a key must be to be searched for in other variables.
const longEnough = 16

// environ is the environment of a program that uses the provider: the caller's, without what
// is for other providers, plus what pick -o env prints and the provider's key, if the caller
// has it. all are the rows of all providers.
func (c *chosen) environ(caller []string, all []provider.Status) (environ []string, hasKey bool) {
	told := c.told()
	before := valueOf(caller, keyEnvVariable)
	known := newLexicon(before, all)
	own := ownership{keyEnv: told.KeyEnv, vendor: vendorOf(c.Kind, known.vendors)}
	if told.KeyEnvGuessed {
		own.keyEnv = "" // the key would go to a gateway in the vendor's place
	}
	own.home = own.vendor.isHome(c.Endpoint)
	key := own.key(caller)

	set := c.environment()
	openAIKey := noKey
	if told.OpenAIBaseURL != "" {
		set = append(set, oldOpenAIVariable+"="+told.OpenAIBaseURL)
		if key != "" {
			openAIKey = key
		}
	}
	if name := own.nativeKey(); key != "" && name != "" && name != openAIKeyVariable && (own.home || told.Env != "") {
		set = append(set, name+"="+key)
	}
	set = append(set, openAIKeyVariable+"="+openAIKey)

	var rest, secrets []string
	for _, line := range caller {
		name, value, _ := strings.Cut(line, "=")
		if name == "" { // on Windows, for the folder of each drive
			rest = append(rest, line)
			continue
		}
		what := known.names(name)
		switch {
		case !isSet(set, name) && !isOurs(name) && (what == namesNothing || own.keeps(name, value, key)):
			rest = append(rest, line)
		case what == namesKey:
			secrets = append(secrets, value)
		}
	}
	return append(without(rest, secrets, key), set...), key != ""
}

// An ownership says which of the caller's variables are for the provider.
type ownership struct {
	keyEnv string // the variable that should hold the key
	vendor vendor // whose variables its kind's programs read
	home   bool   // it is at the vendor's own address, which the vendor's variables are for
}

// usesVendors reports whether the key is the vendor's usual one, not that of another account
// or a gateway.
func (o *ownership) usesVendors() bool { return o.home && o.vendor.isKey(o.keyEnv) }

// key is the provider's key from the caller's environment, empty if it is not there. If run
// runs inside a run, variables can hold the key of the outer run's provider.
func (o *ownership) key(caller []string) string {
	names := []string{o.keyEnv}
	if o.usesVendors() {
		names = append(names, o.vendor.keys...)
	}
	before := valueOf(caller, keyEnvVariable)
	for _, name := range names {
		value := strings.TrimSpace(valueOf(caller, name))
		copied := before != "" && before != name && value == strings.TrimSpace(valueOf(caller, before))
		if value != "" && value != noKey && !copied {
			return value
		}
	}
	return ""
}

// nativeKey is the variable in which the vendor's own programs look for the key, if the caller
// has it in another one.
func (o *ownership) nativeKey() string {
	if len(o.vendor.keys) == 0 || o.vendor.isKey(o.keyEnv) {
		return ""
	}
	return o.vendor.keys[0]
}

// keeps reports whether one of the caller's variables is for the provider.
func (o *ownership) keeps(name, value, key string) bool {
	switch {
	case key != "" && name == o.keyEnv:
		return strings.TrimSpace(value) == key // otherwise it is the key of an outer run's provider
	case key == "" || !o.usesVendors():
		return false
	}
	v := newVariable(name)
	return o.vendor.names(v) == namesKey || slices.Contains(o.vendor.account, v.name)
}

// A lexicon knows the variables in which programs look for a key or an address of any
// provider, including that of an outer run.
type lexicon struct {
	vendors []vendor
	keys    map[string]bool // in upper case: of the providers that are configured
	outer   string
}

func newLexicon(outer string, all []provider.Status) *lexicon {
	l := &lexicon{vendors: vendors(), keys: map[string]bool{}, outer: outer}
	for i := range all {
		if told := all[i].Client; told != nil && told.KeyEnv != "" {
			l.keys[strings.ToUpper(told.KeyEnv)] = true
		}
	}
	return l
}

// names says what a variable is.
func (l *lexicon) names(name string) named {
	v := newVariable(name)
	if name == l.outer || l.keys[v.name] {
		return namesKey
	}
	for i := range l.vendors {
		if what := l.vendors[i].names(v); what != namesNothing {
			return what
		}
		if slices.Contains(l.vendors[i].account, v.name) {
			return namesAddress // it goes with an address
		}
	}
	return namesNothing
}

// vendorOf is the vendor of a kind.
func vendorOf(kind string, all []vendor) vendor {
	for _, v := range all {
		if v.kind == kind {
			return v
		}
	}
	return vendor{}
}

// without removes the variables whose values contain one of the secrets, except for the key
// itself.
func without(lines, secrets []string, key string) []string {
	secrets = slices.DeleteFunc(secrets, func(s string) bool {
		path := strings.HasPrefix(s, "/") || strings.ContainsAny(s, "\\ \t") || strings.Contains(s, "://")
		return len(s) < longEnough || path || s == key
	})
	return slices.DeleteFunc(lines, func(line string) bool {
		name, value, _ := strings.Cut(line, "=")
		return name != "" && slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(value, s) })
	})
}

// isSet reports whether a variable is among lines, in upper or lower case: some programs
// read both.
func isSet(lines []string, name string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		other, _, _ := strings.Cut(line, "=")
		return strings.EqualFold(other, name)
	})
}

// isOurs reports whether a variable is about the provider of an outer run.
func isOurs(name string) bool {
	switch name {
	case "PROVIDERD_PROVIDER", "PROVIDERD_KIND", "PROVIDERD_ENDPOINT", keyEnvVariable:
		return true
	}
	return false
}

// valueOf is the value of a variable; if it occurs more than once, the first, like getenv(3).
func valueOf(environ []string, name string) string {
	for _, line := range environ {
		other, value, _ := strings.Cut(line, "=")
		if name != "" && (other == name || runtime.GOOS == "windows" && strings.EqualFold(other, name)) {
			return value
		}
	}
	return ""
}

// isHome reports whether an endpoint is at one of the vendor's own hosts.
func (v *vendor) isHome(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for home := range strings.FieldsSeq(v.home) {
		if host == home || home[0] == '.' && strings.HasSuffix(host, home) {
			return true
		}
	}
	return false
}
