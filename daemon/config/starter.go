package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

const starterHead = `# providerd.toml: what providerd watches, and how. Created by: providerd config init
# providerd.toml(5) and docs/configuration.md explain every setting.
#
#     providerd config edit     # change it; it is checked before it is taken over
#     providerctl reload        # put the change in force
`

// starterKeys is for the system's daemon.
const starterKeys = `#
# A key is a file that only root can read. The service reads it when it starts:
#
#     sudo install -d -m 700 /etc/providerd/credentials
#     sudo install -m 600 /dev/stdin /etc/providerd/credentials/groq   # type it, ctrl-D
#     sudo systemctl restart providerd
`

const starterSettings = `
# Watch the providers below, and also those that are watched without a file:
# Ollama, LM Studio, llama.cpp, OpenAI, Anthropic, and each cloud API whose key
# variable is set.
autodetect = true

[daemon]
#log_level = "info"

# For every provider; each can have its own values below.
[defaults]
#interval = "10s"
#timeout = "1500ms"
`

const starterTail = `
# A server on another machine. Remove the #, and change the address:
#[[provider]]
#id = "ollama:gpu"
#kind = "ollama"
#base_url = "http://gpu.example.net:11434"

# Any server that speaks the OpenAI protocol:
#[[provider]]
#id = "my-server"
#kind = "openai-compatible"
#base_url = "https://llm.example.com/v1"
#api_key_file = "/etc/providerd/my-server.key"

# Tell people of trouble: docs/notifications.md has the other kinds. Try it with:
# providerctl notify test phone
#[[notify]]
#id = "phone"
#kind = "ntfy"
#url = "https://ntfy.example.com/my-topic"
#quiet = ["22:00-07:00"]
`

// Starter is a file to start with. It names the servers that were found at the vendors'
// default addresses or that the vendors' variables point to, and the cloud kinds whose key
// is available. It can be used as it is, watches everything that would be watched without a
// file, and contains no key.
func Starter(kinds []Kind, env Env, found []provider.Discovered) string {
	var b strings.Builder
	b.WriteString(starterHead)
	if env.ForSystem() && env.OS != "windows" {
		b.WriteString(starterKeys)
	}
	b.WriteString(starterSettings)
	for i := range kinds {
		s := starter{kinds: kinds, kind: &kinds[i], env: env}
		at := slices.IndexFunc(found, func(d provider.Discovered) bool { return d.Kind == s.kind.Name })
		if at >= 0 {
			s.found = &found[at]
		}
		s.write(&b)
	}
	b.WriteString(starterTail)
	return b.String()
}

// A starter writes the entry of one kind.
type starter struct {
	kinds []Kind
	kind  *Kind
	env   Env
	found *provider.Discovered // at its default address; nil: nothing
}

func (s *starter) write(b *strings.Builder) {
	a, wrong := addressFromEnv(s.kind, s.env)
	elsewhere := a.endpoint != "" && (s.found == nil || !sameServer(a.endpoint, s.found.BaseURL))
	key := s.kind.keyIsSet(s.env)
	switch {
	case wrong != nil: // the row will say so
	case elsewhere:
		s.atVariable(b, a, key)
	case s.kind.Type == provider.Cloud && key && s.kind.BaseURL != "":
		setting, mark := s.keySetting(s.kind.BaseURL)
		s.entry(b, mark, s.aboutKey(s.kind.BaseURL), []string{setting})
	}
	if s.found != nil {
		s.atDefault(b, elsewhere, key)
	}
}

// atDefault writes the server that was found. Its address is a comment, because an address in
// the file means that any listener there may have the key.
func (s *starter) atDefault(b *strings.Builder, second, key bool) {
	about := "It answers at " + printable(s.found.BaseURL)
	if s.found.Version != "" {
		about += ", version " + printable(s.found.Version)
	}
	lines := []string{about + "."}
	if s.found.Note != "" {
		lines = append(lines, "Note: "+printable(s.found.Note)+".")
	}
	base := "base_url = " + provider.Quoted(s.found.BaseURL)
	switch {
	case second && key:
		lines = append(lines, "Remove the # if that server may have the key.")
		s.entry(b, "#", lines, []string{base}, ":2")
	case second:
		s.entry(b, "", lines, []string{base}, ":2")
	default:
		s.entry(b, "", lines, []string{"#" + base})
	}
}

// atVariable writes the server whose address is in a vendor's variable.
func (s *starter) atVariable(b *strings.Builder, a address, key bool) {
	lines := []string{"Its address is that of the vendor's variable"}
	if s.kind.AddrEnv != "" {
		lines[0] += " (" + s.kind.AddrEnv + ")"
	}
	lines[0] += "."
	settings := []string{"base_url = " + provider.Quoted(a.endpoint)}
	u, err := url.Parse(a.endpoint)
	switch {
	case a.url != a.endpoint:
		lines = append(lines, "It contains a user or a password, so it stays in the variable.")
		settings = nil
	case err != nil || key && u.Scheme == "http" && IsLoopback(u.Hostname()):
		settings[0] = "#" + settings[0]
	}
	mark := ""
	if key {
		setting, unusable := s.keySetting(a.endpoint)
		if s.kind.Type == provider.Cloud {
			mark, unusable = unusable, ""
		}
		lines, settings = append(lines, s.aboutKey(a.endpoint)...), append(settings, unusable+setting)
	}
	s.entry(b, mark, lines, settings)
}

// aboutKey says where the key is, and what to do if the daemon would not find it.
func (s *starter) aboutKey(base string) []string {
	name := s.keyVariable()
	key, bad := s.key(base)
	switch {
	case bad != nil:
		return []string{printable(bad.message) + ": " + bad.fix + "."}
	case s.env.ForSystem() && s.env.OS != "windows":
		return []string{name + " is set here, but not for the service: put the key into", credentials + "/" + s.kind.Name + ", and remove the #."}
	}
	lines := []string{"Its key is in " + name + ". A service does not see the variables of a", "shell: give it an api_key_file instead."}
	if doubt := doubtfulKey(key.Reveal(), s.kind.KeyNeeded); doubt != "" {
		lines = append(lines, "The key "+doubt+".")
	}
	return lines
}

// keySetting is the setting for the key; mark is # if it cannot be used from there yet.
func (s *starter) keySetting(base string) (setting, mark string) {
	name := s.keyVariable()
	if s.env.ForSystem() && s.env.OS != "windows" {
		return `api_key_file = "` + loadedKey + s.kind.Name + `"`, "#"
	}
	if _, bad := s.key(base); bad != nil {
		mark = "#"
	}
	return `api_key_env = "` + name + `"`, mark
}

// key is the key in the variable, and why it cannot be sent to that address.
func (s *starter) key(base string) (Secret, *flaw) {
	name := s.keyVariable()
	key, bad := keyFromEnv(name, s.env)
	if bad == nil {
		bad = anothersKey(s.kinds, key.Reveal(), base, "environment variable "+name, "set "+name+" to")
	}
	return key, bad
}

// keyVariable is the variable that holds the key.
func (s *starter) keyVariable() string {
	names := s.kind.keyVariables()
	return names[max(0, slices.IndexFunc(names, func(name string) bool { return s.env.get(name) != "" }))]
}

// entry writes a [[provider]] after comment lines about it. mark precedes each of its lines,
// and instance follows its id.
func (s *starter) entry(b *strings.Builder, mark string, about, settings []string, instance ...string) {
	b.WriteString("\n")
	for _, line := range about {
		fmt.Fprintf(b, "# %s\n", line)
	}
	lines := append([]string{"[[provider]]", `id = "` + s.kind.Name + strings.Join(instance, "") + `"`, `kind = "` + s.kind.Name + `"`}, settings...)
	for _, line := range lines {
		b.WriteString(mark + line + "\n")
	}
}

// sameServer reports whether two addresses are the same, or the same port of this machine.
func sameServer(a, b string) bool {
	one, err := url.Parse(a)
	other, wrong := url.Parse(b)
	if err != nil || wrong != nil {
		return a == b
	}
	return one.Port() == other.Port() &&
		(one.Hostname() == other.Hostname() || IsLoopback(one.Hostname()) && IsLoopback(other.Hostname()))
}
