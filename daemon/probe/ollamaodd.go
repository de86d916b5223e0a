package probe

import (
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/config"
)

// oddOllamaHost describes values of OLLAMA_HOST that are hardly meant. Ollama takes nearly
// any text for a host (envconfig/config.go), and so do we; then nothing is found there.
// Addresses for all interfaces (0.0.0.0, ::) are not odd, nor are the quotes of a .env
// file, which Ollama drops.
func oddOllamaHost(getenv func(string) string) string {
	value := strings.Trim(strings.TrimSpace(getenv("OLLAMA_HOST")), `"' `)
	if value == "" {
		return ""
	}
	scheme, rest, hasScheme := strings.Cut(value, "://")
	if !hasScheme {
		scheme, rest = "", value
	}
	odd, instead := oddHost(scheme, rest)
	switch {
	case odd == "":
		return ""
	case instead == "", strings.HasPrefix(instead, ":"):
		return "OLLAMA_HOST: the address " + odd + ": set it to the host and the port that Ollama listens on, such as 127.0.0.1:11434"
	case hasScheme:
		instead = scheme + "://" + instead
	}
	return "OLLAMA_HOST: the address " + odd + ": set it to " + instead
}

// oddHost judges what follows the scheme; instead is the value that was meant, if that is
// clear.
func oddHost(scheme, rest string) (odd, instead string) {
	hostport, path, _ := strings.Cut(rest, "/")
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), ""
	}
	n, bad := strconv.ParseUint(port, 10, 16)
	switch narrow := config.Narrowed(rest); {
	case isFilePath(rest):
		return "is the path of a file", ""
	case narrow != rest:
		return "contains full-width characters", narrow
	case host == "http" || host == "https":
		return "has a mistyped or doubled scheme, which is taken for a host name", strings.TrimLeft(strings.TrimPrefix(rest, host), ":/")
	case isNumber(hostport):
		return "is a number alone, which is taken for a host name", "127.0.0.1:" + hostport
	case strings.ContainsAny(rest, " \t,;"):
		return "contains more than one word", ""
	case strings.Contains(hostport, "*"):
		return "has * as its host, which is not a host name", net.JoinHostPort("0.0.0.0", orDefault(port))
	case strings.ContainsAny(rest, "@?#"):
		return "contains more than a host, a port and a path", ""
	case err == nil && (bad != nil || n == 0):
		return "has an invalid port, so the default port is used", net.JoinHostPort(host, "11434")
	case strings.Count(hostport, ":") == 1 && port == "":
		return "ends with a colon and has no port", net.JoinHostPort(host, "11434")
	case scheme == "http" && port == "" && path == "":
		return "has http:// without a port, which means port 80", net.JoinHostPort(host, "11434")
	case scheme == "https" && config.IsLoopback(host):
		return "has https://, which Ollama itself does not speak", ""
	}
	return "", ""
}

func orDefault(port string) string {
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "11434"
	}
	return port
}

// isFilePath recognises Windows paths, and those of programs and folders.
func isFilePath(s string) bool {
	drive := len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/')
	u, err := url.PathUnescape(s)
	return drive || strings.Contains(s, `\`) || strings.HasPrefix(s, "/") || strings.HasPrefix(s, "~") || strings.HasPrefix(s, ".") ||
		err == nil && strings.EqualFold(filepath.Ext(u), ".exe")
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}
