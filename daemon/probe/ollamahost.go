package probe

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// ollamaHost reads OLLAMA_HOST as Ollama does (envconfig/config.go): blanks and quotes
// around it are dropped, the port defaults to that of the URL's scheme or else to 11434, an
// invalid port is replaced by the default, and an address for all interfaces is dialled as
// loopback.
func ollamaHost(getenv func(string) string) (string, error) {
	value := strings.TrimSpace(strings.Trim(strings.TrimSpace(getenv("OLLAMA_HOST")), `"'`))
	if value == "" {
		return "", nil
	}
	scheme, rest, port := "http", value, "11434"
	if before, after, ok := strings.Cut(value, "://"); ok {
		scheme, rest = before, after
		switch scheme {
		case "http":
			port = "80"
		case "https":
			port = "443"
		}
	} else if value == "ollama.com" {
		scheme, port = "https", "443"
	}
	// Upper case works there too, but then there is no default port.
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return "", fmt.Errorf("OLLAMA_HOST: scheme %q is neither http nor https", scheme)
	}
	hostport, path, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(path, "?# \t") { // Ollama takes it as part of the path; it may be a key
		return "", errors.New("OLLAMA_HOST: something follows its path")
	}
	u := url.URL{Scheme: scheme, Host: ollamaAddress(hostport, port), Path: path}
	if path != "" {
		u.Path = "/" + path
	}
	if _, err := url.Parse(u.String()); err != nil {
		return "", fmt.Errorf("OLLAMA_HOST: %q is not an address", value)
	}
	return u.String(), nil
}

// ollamaAddress completes a host, a host:port or a bare IPv6 address.
func ollamaAddress(hostport, defaultPort string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = "127.0.0.1", defaultPort
		if ip := net.ParseIP(strings.Trim(hostport, "[]")); ip != nil {
			host = ip.String()
		} else if hostport != "" {
			host = hostport
		}
	}
	if n, err := strconv.ParseInt(port, 10, 32); err != nil || n < 0 || n > 65535 {
		port = defaultPort
	}
	return net.JoinHostPort(connectable(host), port)
}

// connectable turns an address to bind into one to dial; an empty one binds everywhere.
func connectable(host string) string {
	ip := net.ParseIP(host)
	switch {
	case host == "":
		return "127.0.0.1"
	case ip == nil || !ip.IsUnspecified():
		return host
	case ip.To4() != nil:
		return "127.0.0.1"
	}
	return "::1"
}
