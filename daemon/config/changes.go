package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// daemonSettings are the settings of [daemon] that a reload puts in force, in the file's
// form. The others need a restart.
var daemonSettings = []struct {
	name  string
	value func(Daemon) string
}{
	{"admin_group", func(d Daemon) string { return provider.Quoted(d.AdminGroup) }},
	{"log_level", func(d Daemon) string { return provider.Quoted(d.LogLevel) }},
	{"metrics_provider_latency", func(d Daemon) string { return strconv.FormatBool(d.MetricsProviderLatency) }},
}

// Applied are the changed settings that a reload puts in force, in the file's form.
func (d Daemon) Applied(before Daemon) (lines []string) {
	for _, s := range daemonSettings {
		if now := s.value(d); now != s.value(before) {
			lines = append(lines, s.name+" = "+now)
		}
	}
	return lines
}

// ChangedSettings are the names of a provider's changed settings. What a setting refers to
// counts too: another key in the same file is a change of api_key_file.
func (p *Provider) ChangedSettings(before *Provider) (names []string) {
	now, was := p.shownSettings(), before.shownSettings()
	for _, line := range append(slices.Clone(now), was...) {
		name := settingOf(line)
		if !slices.Contains(names, name) && (!slices.Contains(now, line) || !slices.Contains(was, line)) {
			names = append(names, name)
		}
	}
	add := func(name string, changed bool) {
		if changed && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	source, _, _ := strings.Cut(p.KeySource+" ", " ")
	add("api_key_"+source, source != "" && p.Key.Reveal() != before.Key.Reveal())
	add("base_url", p.BaseURL != before.BaseURL)
	add("command", !slices.Equal(p.Command, before.Command)) // including what is masked in it
	add("certificates", p.TLS != nil && before.TLS != nil && p.TLS.Sum != before.TLS.Sum)
	return names
}

// shownSettings are the lines of a provider that [Config.Show] prints.
func (p *Provider) shownSettings() (lines []string) {
	var b strings.Builder
	p.show(&b)
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, " = ") && (!strings.HasPrefix(line, "#") || strings.HasPrefix(line, "# base_url = ")) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func settingOf(line string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, "# "), " = ")
	return name
}
