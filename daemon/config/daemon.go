package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Daemon is the [daemon] table: the settings of providerd itself.
type Daemon struct {
	Socket     string // absolute path of the control socket
	StateDir   string // absolute path of the database's folder
	AdminGroup string // members may change the daemon; a name or number, empty for none
	LogLevel   string // one of LogLevels

	// InsecureFolders are absolute paths of folders above the socket's or the
	// database's own that are used though everybody may write in them.
	InsecureFolders []string

	// MetricsListen is the loopback address and port where /metrics is served in addition
	// to the socket; empty for none.
	MetricsListen string
	// MetricsProviderLatency adds a histogram of the latencies of each provider to /metrics;
	// those of each kind are always there.
	MetricsProviderLatency bool
}

// LogLevels are the levels, from the most verbose to silence.
func LogLevels() []string { return []string{"trace", "debug", "info", "warn", "error", "off"} }

const defaultLogLevel = "info"

// maxSocketPath is the longest path, in bytes, that every system can bind: sun_path has 104
// bytes on macOS and the BSDs and 108 on Linux, including the final NUL.
const maxSocketPath = 103

// Validate checks the settings like those of a file, for callers that have overridden them by
// flags. The error is an [*Error].
func (d Daemon) Validate() error {
	var mistakes []mistake
	for _, f := range []*flaw{checkSocket(d.Socket), checkStateDir(d.StateDir), checkGroup(d.AdminGroup),
		checkLogLevel(d.LogLevel), checkMetricsListen(d.MetricsListen)} {
		if f != nil {
			mistakes = append(mistakes, mistake{*f, nowhere})
		}
	}
	for _, path := range d.InsecureFolders {
		if f := checkInsecure(path); f != nil {
			mistakes = append(mistakes, mistake{*f, nowhere})
		}
	}
	if len(mistakes) == 0 {
		return nil
	}
	return newError("", nil, mistakes, 0)
}

func (r *reading) defaultDaemon() Daemon {
	d := Daemon{Socket: DefaultSocket(r.env), StateDir: DefaultStateDir(r.env), LogLevel: defaultLogLevel}
	if dir := stateDirectory(r.env); dir != "" {
		d.StateDir = dir
	}
	return d
}

func (r *reading) daemon(t *table) Daemon {
	d := r.defaultDaemon()
	t.setting(&d.Socket, "socket", `socket = "/run/providerd/providerd.sock"`, checkSocket)
	stateDir := d.StateDir
	t.setting(&stateDir, "state_dir", `state_dir = "/var/lib/providerd"`, checkStateDir)
	if stateDirectory(r.env) == "" {
		d.StateDir = stateDir
	} else if stateDir != d.StateDir {
		r.warn(t.at("state_dir"), "state_dir is not used: STATE_DIRECTORY is %s", quote(d.StateDir))
	}
	d.InsecureFolders = t.insecureFolders()
	t.setting(&d.AdminGroup, "admin_group", `admin_group = "providerd"`, checkGroup)
	t.setting(&d.LogLevel, "log_level", `log_level = "info"`, checkLogLevel)
	t.setting(&d.MetricsListen, "metrics_listen", `metrics_listen = "127.0.0.1:9456"`, checkMetricsListen)
	if each, ok := get[bool](t, "metrics_provider_latency", "metrics_provider_latency = true"); ok {
		d.MetricsProviderLatency = each
	}
	t.done()
	return d
}

// insecureFolders are cleaned of what makes two spellings of one path.
func (t *table) insecureFolders() (paths []string) {
	const key = "insecure_folders"
	listed, ok := list[string](t, key, `insecure_folders = ["/var/lib/providerd"]`)
	for i, path := range listed {
		if f := checkInsecure(path); ok && f != nil {
			t.reject(t.elem(key, i), f)
		}
		paths = append(paths, filepath.Clean(path))
	}
	return paths
}

// setting reads a checked text into v, which keeps its value if the setting is absent.
func (t *table) setting(v *string, key, example string, check func(string) *flaw) {
	s, ok := t.text(key, example)
	if !ok {
		return
	}
	if f := check(s); f != nil {
		t.reject(t.at(key), f)
		return
	}
	*v = s
}

func checkSocket(path string) *flaw {
	if f := checkAbsolute("socket", path); f != nil {
		return f
	}
	if len(path) > maxSocketPath {
		return flawf("choose a shorter path", "socket is %d bytes long: the path of a socket can have at most %d", len(path), maxSocketPath)
	}
	return nil
}

func checkStateDir(path string) *flaw { return checkAbsolute("state_dir", path) }

// checkInsecure refuses the root folder: all paths lead through that.
func checkInsecure(path string) *flaw {
	if f := checkAbsolute("a folder of insecure_folders", path); f != nil {
		return f
	}
	if path = filepath.Clean(path); filepath.Dir(path) == path {
		return flawf("name the one folder that everybody may write", "insecure_folders has %s", quote(path))
	}
	return nil
}

func checkAbsolute(setting, path string) *flaw {
	switch {
	case path == "":
		return flawf("leave it out to use the default", "%s is empty", setting)
	case strings.ContainsFunc(path, isControl):
		return flawf("write the path alone", "%s contains a control character", setting)
	case !filepath.IsAbs(path):
		return flawf("write the path in full, from the root", "%s is %s: a relative path", setting, quote(path))
	}
	return nil
}

func checkGroup(name string) *flaw {
	if strings.ContainsFunc(name, func(r rune) bool { return isControl(r) || r == ' ' || r == ':' || r == ',' }) {
		return flawf(`write one group: admin_group = "providerd"`, "admin_group is %s: not the name of a group", quote(name))
	}
	return nil
}

func checkLogLevel(level string) *flaw {
	if !slices.Contains(LogLevels(), level) {
		return flawf(didYouMean(level, LogLevels()), "unknown log level %s", quote(level))
	}
	return nil
}

// checkMetricsListen accepts addresses that no other machine can reach. Names are not accepted:
// the resolver decides what they mean.
func checkMetricsListen(address string) *flaw {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(n, 10) != port {
		return flawf(`write metrics_listen = "127.0.0.1:9456"`, "metrics_listen is %s: not an address and a port", quote(address))
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() || ip.Zone() != "" {
		return flawf(`write metrics_listen = "`+net.JoinHostPort("127.0.0.1", port)+`"; for other machines, put an authenticating proxy in front of it`,
			"metrics_listen is %s: not a loopback address", quote(address))
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }
