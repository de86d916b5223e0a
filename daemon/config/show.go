package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Show is the merged configuration as an equivalent file: every default is written out, keys
// are only named by their source, addresses have no user-info, and commands do not contain what
// looks like a secret.
func (c *Config) Show() string {
	var b strings.Builder
	if c.Path == "" {
		b.WriteString("# the built-in defaults; there is no file\n")
	} else {
		fmt.Fprintf(&b, "# %s, with every default filled in\n", printable(c.Path))
	}
	b.WriteString("autodetect = false")
	if c.Autodetect {
		b.WriteString(" # what it added is below")
	}
	b.WriteString("\n\n[daemon]\n")
	writeText(&b, "socket", c.Daemon.Socket)
	writeText(&b, "state_dir", c.Daemon.StateDir)
	writeTexts(&b, "insecure_folders", c.Daemon.InsecureFolders)
	writeText(&b, "admin_group", c.Daemon.AdminGroup)
	writeText(&b, "log_level", c.Daemon.LogLevel)
	writeText(&b, "metrics_listen", c.Daemon.MetricsListen)
	fmt.Fprintf(&b, "metrics_provider_latency = %t\n", c.Daemon.MetricsProviderLatency)
	c.Fleet.show(&b)
	for i := range c.Providers {
		c.Providers[i].show(&b)
	}
	for i := range c.Notify {
		c.Notify[i].show(&b)
	}
	for i := range c.Maintenance {
		c.Maintenance[i].show(&b)
	}
	return b.String()
}

func (p *Provider) show(b *strings.Builder) {
	b.WriteString("\n[[provider]]\n")
	writeText(b, "id", p.ID)
	writeText(b, "kind", p.Kind)
	if p.BaseURL != p.Endpoint {
		b.WriteString("# base_url has a user or a password, which is not shown\n")
	}
	if p.AddressFault != "" {
		fmt.Fprintf(b, "# it has no address: %s\n", printable(p.AddressFault))
	} else {
		p.showTarget(b)
	}
	if p.ownsServer() {
		p.showUnit(b)
	}
	p.showKey(b)
	p.TLS.show(b)
	writeTexts(b, "models", p.Models)
	writeText(b, "interval", showDuration(p.Interval))
	writeText(b, "timeout", showDuration(p.Timeout))
	writeText(b, "slow_after", showDuration(p.SlowAfter))
	fmt.Fprintf(b, "rise = %d\nfall = %d\n", p.Rise, p.Fall)
	if p.Private {
		b.WriteString("share = false\n")
	}
	p.Slots.show(b)
	p.Expect.show(b)
	p.showFeed(b)
}

// showFeed writes a feed in full. Only a cloud provider can have one that is not named.
func (p *Provider) showFeed(b *strings.Builder) {
	f := &p.Feed
	switch {
	case f.URL == "" && p.Type == provider.Cloud:
		b.WriteString("status_feed = false\n")
	case f.URL != "":
		fmt.Fprintf(b, "status_feed = { url = %s, format = %s", provider.Quoted(f.URL), provider.Quoted(f.Format))
		if len(f.Components) > 0 {
			b.WriteString(", components = [" + tomlTexts(f.Components) + "]")
		}
		b.WriteString(" }\n")
	}
}

// showTarget is where the provider is, in the setting that says so.
func (p *Provider) showTarget(b *strings.Builder) {
	switch {
	case len(p.Command) > 0:
		showCommand(b, p.Command)
	case strings.HasPrefix(p.BaseURL, "systemd:"):
		p.showUnit(b)
	case !p.BaseURLGiven:
		// A comment, because as a setting it would mean that the address may get the key.
		b.WriteString("# ")
		fallthrough
	default:
		writeText(b, "base_url", p.Endpoint)
	}
}

func (p *Provider) showUnit(b *strings.Builder) {
	writeText(b, "unit", p.Unit)
	if p.Bus != "" {
		writeText(b, "bus", p.Bus)
	}
}

// showCommand writes a command without what looks like a secret.
func showCommand(b *strings.Builder, command []string) {
	words, hidden := shownCommand(command)
	if hidden {
		b.WriteString("# what looks like a secret in command is not shown\n")
	}
	writeTexts(b, "command", words)
}

func (p *Provider) showKey(b *strings.Builder) {
	source, name, ok := strings.Cut(p.KeySource, " ")
	if !ok {
		return
	}
	state := p.Key.String()
	switch {
	case p.KeyFault != "":
		state = printable(p.KeyFault)
	case p.Key.IsZero():
		state = "not set"
	}
	fmt.Fprintf(b, "api_key_%s = %s # %s\n", source, provider.Quoted(name), state)
}

func (e Expect) show(b *strings.Builder) {
	if len(e.Status) > 0 {
		codes := make([]string, len(e.Status))
		for i, code := range e.Status {
			codes[i] = strconv.Itoa(code)
		}
		fmt.Fprintf(b, "expect_status = [%s]\n", strings.Join(codes, ", "))
	}
	if e.Body != "" {
		writeText(b, "expect_body", e.Body)
	}
	if len(e.JSON) > 0 {
		var pairs []string
		for _, path := range slices.Sorted(maps.Keys(e.JSON)) {
			pairs = append(pairs, provider.Quoted(path)+" = "+tomlValue(e.JSON[path]))
		}
		fmt.Fprintf(b, "expect_json = { %s }\n", strings.Join(pairs, ", "))
	}
	if e.Days > 0 {
		fmt.Fprintf(b, "expect_days = %d\n", e.Days)
	}
	if e.Answer != "" {
		writeText(b, "expect_answer", e.Answer)
	}
}

func writeText(b *strings.Builder, key, value string) {
	fmt.Fprintf(b, "%s = %s\n", key, provider.Quoted(value))
}

// writeTexts writes a list, unless it is empty.
func writeTexts(b *strings.Builder, key string, values []string) {
	if len(values) == 0 {
		return
	}
	fmt.Fprintf(b, "%s = [%s]\n", key, tomlTexts(values))
}

func tomlTexts(values []string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = provider.Quoted(v)
	}
	return strings.Join(texts, ", ")
}

// showDuration omits the zeros that time.Duration prints: 1m, not 1m0s.
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return provider.Quoted(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0" // a float stays a float
		}
		return s
	}
	return fmt.Sprint(v) // int64 and bool are printed as in TOML
}
