package config

import (
	"slices"
	"strings"
)

// AppliedFleet lists what a reload changed of [fleet], as lines of the file. All of it takes effect
// at once.
func (c *Config) AppliedFleet(before *Config) (lines []string) {
	now, was := c.Fleet, before.Fleet
	switch {
	case now == nil && was == nil:
		return nil
	case now == nil:
		return []string{"no [fleet]"}
	case was == nil:
		was = &Fleet{}
	}
	old := shownFleet(was)
	for _, line := range shownFleet(now) {
		if !slices.Contains(old, line) {
			lines = append(lines, "[fleet] "+line)
		}
	}
	for _, line := range old {
		setting, _, _ := strings.Cut(line, " = ")
		if !slices.ContainsFunc(shownFleet(now), func(l string) bool { return strings.HasPrefix(l, setting+" = ") }) {
			lines = append(lines, "[fleet] without "+setting)
		}
	}
	if now.FleetKeyFile == was.FleetKeyFile && !slices.Equal(now.Key, was.Key) {
		lines = append(lines, "[fleet] another key in fleet_key_file")
	}
	return lines
}

// shownFleet are the settings in the file's form.
func shownFleet(f *Fleet) (settings []string) {
	var b strings.Builder
	f.show(&b)
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, " = ") && !strings.HasPrefix(line, "#") {
			settings = append(settings, strings.TrimSuffix(line, "\n"))
		}
	}
	return settings
}
