package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

func (n *Notify) show(b *strings.Builder) {
	b.WriteString("\n[[notify]]\n")
	writeText(b, "id", n.ID)
	writeText(b, "kind", n.Kind)
	if n.URL != "" {
		if n.ShownURL() != n.URL {
			b.WriteString("# what can be a secret in url is not shown\n")
		}
		writeText(b, "url", n.ShownURL())
	}
	for _, f := range n.files() {
		writeText(b, f.setting, f.path)
	}
	for _, fault := range n.Faults {
		fmt.Fprintf(b, "# %s\n", printable(fault))
	}
	if len(n.Command) > 0 {
		showCommand(b, n.Command)
	}
	writeTexts(b, "on", n.topicNames())
	writeTexts(b, "providers", n.Providers)
	writeText(b, "after", showDuration(n.After))
	writeText(b, "gather", showDuration(n.Gather))
	fmt.Fprintf(b, "most = %d\n", n.Most)
	n.Quiet.show(b, "quiet", "quiet_zone")
	for _, template := range []struct{ key, text string }{{"title", n.Title}, {"body", n.Body}} {
		if template.text != "" {
			writeText(b, template.key, maskSecrets(template.text))
		}
	}
}

func (n *Notify) topicNames() []string {
	names := make([]string, len(n.On))
	for i, topic := range n.On {
		names[i] = string(topic)
	}
	return names
}

// ShownURL is the URL without what can be a secret: the user, the path and the query, each of
// which is one for some service.
func (n *Notify) ShownURL() string {
	u, err := url.Parse(n.URL)
	if err != nil || n.URL == "" {
		return strings.Repeat(masked, min(1, len(n.URL)))
	}
	shown := u.Scheme + "://" + u.Host
	if n.URL == shown || n.URL == shown+"/" {
		return n.URL
	}
	return shown + "/" + masked
}

func (m *Maintenance) show(b *strings.Builder) {
	b.WriteString("\n[[maintenance]]\n")
	writeTexts(b, "providers", m.Providers)
	m.At.show(b, "at", "zone")
}

func (w Windows) show(b *strings.Builder, key, zoneKey string) {
	texts := make([]string, len(w.list))
	for i := range w.list {
		texts[i] = w.list[i].text
	}
	writeTexts(b, key, texts)
	if w.name != "" {
		writeText(b, zoneKey, w.name)
	}
}

// AppliedNotify are the tables of notifications and maintenance that are new, gone or changed, in
// the file's form. What a credential's file contains does not count.
func (c *Config) AppliedNotify(before *Config) (lines []string) {
	now, was := shownNotify(c), shownNotify(before)
	for _, n := range slices.Concat(c.Notify, before.Notify) {
		line := "[[notify]] id = " + provider.Quoted(n.ID)
		if now[n.ID] != was[n.ID] && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if shownMaintenance(c) != shownMaintenance(before) {
		lines = append(lines, "[[maintenance]]")
	}
	return lines
}

// shownNotify is each notification in the file's form, with its secrets: never print it.
func shownNotify(c *Config) map[string]string {
	all := map[string]string{}
	for i := range c.Notify {
		n := &c.Notify[i]
		var b strings.Builder
		n.show(&b)
		all[n.ID] = fmt.Sprint(b.String(), "\n", n.URL, n.Command, n.Title, n.Body)
	}
	return all
}

func shownMaintenance(c *Config) string {
	var b strings.Builder
	for i := range c.Maintenance {
		c.Maintenance[i].show(&b)
	}
	return b.String()
}
