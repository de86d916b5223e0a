package ctl

import (
	"cmp"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

const openAIVariable = "OPENAI_BASE_URL"

// environment is what a program that uses the provider finds in its environment, as
// lines of NAME=VALUE: the address in the variables that such programs know, and the
// name of the one to look for the key in, never a key. A value is a word that no
// shell reads anything into.
func (c *chosen) environment() []string {
	endpoint := encoded(c.Endpoint)
	lines := []string{
		"PROVIDERD_PROVIDER=" + encoded(c.ID),
		"PROVIDERD_KIND=" + encoded(c.Kind),
		"PROVIDERD_ENDPOINT=" + endpoint,
	}
	told := c.told()
	if told.OpenAIBaseURL != "" {
		lines = append(lines, openAIVariable+"="+encoded(told.OpenAIBaseURL))
	}
	if told.Env != openAIVariable && isVariable(told.Env) {
		lines = append(lines, told.Env+"="+endpoint)
	}
	if told.KeyEnv != "" {
		lines = append(lines, "PROVIDERD_KEY_ENV="+encoded(told.KeyEnv))
	}
	return lines
}

// told is what the daemon says to who uses the provider: nothing where there is
// nothing to say, or where the daemon is older than that.
func (c *chosen) told() provider.Client {
	if c.Client == nil {
		return provider.Client{}
	}
	told := *c.Client
	if isSocket(c.Endpoint) {
		told.OpenAIBaseURL, told.Env = "", "" // whatever a daemon says
	}
	return told
}

// baseURL is what a client takes for its base URL: where OpenAI's API is or, where
// there is none, the endpoint. No client takes a Unix socket.
func (c *chosen) baseURL() string {
	if isSocket(c.Endpoint) {
		return ""
	}
	return encoded(cmp.Or(c.told().OpenAIBaseURL, c.Endpoint))
}

// isVariable reports whether a shell takes a word for the name of a variable.
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// encoded has every byte of a URL percent-encoded that a shell could read for more
// than itself, or split at; in a URL that means the same.
func encoded(url string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(url) {
		switch c := url[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~:/[]@%+,=", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
