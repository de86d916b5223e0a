package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// notifications reads each [[notify]].
func (r *reading) notifications(entries []*table) []Notify {
	var out []Notify
	taken := map[string]int{} // the line of the first one with that id
	for _, t := range entries {
		out = append(out, t.notify(taken))
		t.done()
	}
	return out
}

// notify reads one [[notify]]. If its kind is unknown, only what every kind has can be checked.
func (t *table) notify(taken map[string]int) Notify {
	before := len(t.mistakes)
	n := Notify{ID: t.nameOf("notification", "phone", taken), Gather: DefaultGather, Most: DefaultMost}
	kind := t.notifyKind()
	n.URL, _ = t.text("url", `url = "https://example.com/hook"`)
	n.URLFile = t.credentialFile("url_file")
	n.TokenFile = t.credentialFile("token_file")
	n.SecretFile = t.credentialFile("secret_file")
	n.Command, _ = needed[string](t, "command", `command = ["/usr/local/bin/tell-me"]`)
	n.On = t.topics()
	n.Providers = t.globs("providers", `providers = ["*", "!lab-*"]`)
	n.After = t.duration("after", 0, maxAfter, "2m")
	if given := t.duration("gather", 0, maxGather, "5s"); t.values["gather"] != nil {
		n.Gather = given
	}
	if given := t.count("most", maxMost, "most = 20"); given > 0 {
		n.Most = given
	}
	n.Quiet = t.windows("quiet", "quiet_zone", `quiet = ["22:00-07:00"]`, "to get no messages at all, remove the [[notify]]")
	n.Title, _ = t.text("title", `title = "{{.Provider}}: {{.Type}}"`)
	n.Body, _ = t.text("body", `body = "{{.Detail}}"`)
	if kind == nil {
		return n
	}
	n.Kind = kind.Name
	t.needs(&n, kind)
	if len(t.mistakes) == before {
		t.checkNotify(&n)
		t.checkFiles(&n)
	}
	return n
}

// notifyKind reads the kind.
func (t *table) notifyKind() *NotifyKind {
	names := make([]string, len(NotifyKinds))
	for i := range NotifyKinds {
		names[i] = NotifyKinds[i].Name
	}
	name, ok := t.text("kind", `kind = "webhook"`)
	if !ok {
		if t.values["kind"] == nil {
			t.reject(t.header(), flawf("write one of: "+strings.Join(names, ", "), "this notification has no kind"))
		}
		return nil
	}
	i := slices.Index(names, name)
	if i < 0 {
		t.reject(t.at("kind"), flawf(didYouMean(name, names), "unknown kind %s", quote(name)))
		return nil
	}
	return &NotifyKinds[i]
}

// needs checks that the settings are those that the kind takes.
func (t *table) needs(n *Notify, kind *NotifyKind) {
	for _, s := range []struct {
		need Need
		keys []string // one of them at most
	}{
		{kind.URL, []string{"url", "url_file"}},
		{kind.Token, []string{"token_file"}},
		{kind.Secret, []string{"secret_file"}},
		{kind.Command, []string{"command"}},
	} {
		given := slices.DeleteFunc(slices.Clone(s.keys), func(key string) bool { return t.values[key] == nil })
		switch {
		case len(given) > 0 && s.need == Never:
			t.reject(t.name(given[0]), flawf("leave it out", "kind %s takes no %s", kind.Name, given[0]))
		case len(given) > 1:
			t.reject(t.name(given[1]), flawf("leave one of them out", "%s are both set", strings.Join(given, " and ")))
		case len(given) == 0 && s.need == Must:
			t.reject(t.header(), flawf("write "+kind.Example, "this notification has no %s", s.keys[0]))
		}
	}
	if t.values["url"] != nil && n.URL == "" {
		t.reject(t.at("url"), flawf("write "+cmp.Or(kind.Example, `url = "https://example.com/hook"`), "url is empty"))
	}
}

// checkNotify lets the kind check what it alone knows.
func (t *table) checkNotify(n *Notify) {
	if t.env.CheckNotify == nil {
		return
	}
	if err := t.env.CheckNotify(n); err != nil {
		t.rejectFor(err)
	}
}

// credentialFile reads the path of a file with a credential, as api_key_file does.
func (t *table) credentialFile(key string) string {
	example := fmt.Sprintf(`%s = "/etc/providerd/credentials/phone"`, key)
	name, ok := t.text(key, example)
	if !ok {
		return ""
	}
	if name == "" {
		t.reject(t.at(key), flawf("write "+example, "%s is empty", key))
		return ""
	}
	path, f := credentialPath(key, name, t.env)
	if f != nil {
		t.reject(t.at(key), f)
	}
	return path
}

// checkFiles notes credentials that cannot be used, and warns about those that others can read.
// What is in them is read again when they are used.
func (t *table) checkFiles(n *Notify) {
	for _, file := range n.files() {
		_, loose, f := t.env.credentialIn(file.path)
		at := t.at(file.setting)
		if loose {
			t.warn(at, "every user of this machine can read the %s: chmod 600 %s", file.setting, printable(file.path))
		}
		if f != nil {
			f.message = file.setting + ": " + f.message
			n.Faults = append(n.Faults, f.message)
			t.fault(n.ID, at, f)
		}
	}
}

// A credentialFile is a file with a credential, and the setting that names it.
type credentialFile struct{ setting, path string }

func (n *Notify) files() (files []credentialFile) {
	for _, f := range []credentialFile{{"url_file", n.URLFile}, {"token_file", n.TokenFile}, {"secret_file", n.SecretFile}} {
		if f.path != "" {
			files = append(files, f)
		}
	}
	return files
}

// topics reads what people are told about.
func (t *table) topics() []provider.Topic {
	names, ok := list[string](t, "on", `on = ["unusable", "usable", "attention", "host"]`)
	if !ok {
		return slices.Clone(DefaultOn)
	}
	var known []string
	for _, topic := range provider.Topics {
		known = append(known, string(topic))
	}
	var topics []provider.Topic
	for i, name := range names {
		switch topic := provider.Topic(name); {
		case !slices.Contains(known, name):
			t.reject(t.elem("on", i), flawf(didYouMean(name, known), "unknown topic %s", quote(name)))
		case slices.Contains(topics, topic):
			t.reject(t.elem("on", i), flawf("leave one out", "topic %s is named twice", quote(name)))
		default:
			topics = append(topics, topic)
		}
	}
	if len(topics) == 1 && topics[0] == provider.TopicUsable {
		t.reject(t.at("on"), flawf(`write on = ["unusable", "usable"]`,
			"on has usable alone: people are told that something is over only if they were told that it began"))
	}
	return topics
}

// globs reads patterns of ids; without any, all ids are meant.
func (t *table) globs(key, example string) Globs {
	patterns, ok := list[string](t, key, example)
	if !ok {
		return Globs{"*"}
	}
	for i, pattern := range patterns {
		without := strings.TrimPrefix(pattern, "!")
		if _, err := provider.MatchGlob(without, ""); err != nil || without == "" || strings.ContainsFunc(pattern, func(r rune) bool { return r == ' ' || isControl(r) }) {
			t.reject(t.elem(key, i), flawf("write "+example+"; * means any text, ? any character, and ! excludes", "%s is no pattern of ids", quote(pattern)))
		}
	}
	return patterns
}

// maintenance reads each [[maintenance]].
func (r *reading) maintenance(entries []*table) []Maintenance {
	var out []Maintenance
	for _, t := range entries {
		m := Maintenance{}
		const example = `providers = ["gpu*"]`
		if t.values["providers"] == nil {
			t.reject(t.header(), flawf("write "+example+`, or ["*"] for all`, "this maintenance has no providers"))
		}
		m.Providers = t.globs("providers", example)
		if t.values["at"] == nil {
			t.reject(t.header(), flawf(`write at = "Sun 02:00-04:00"; for once: providerctl maintenance ID --for 2h`, "this maintenance has no at"))
		}
		m.At = t.windows("at", "zone", `at = "Sun 02:00-04:00"`, `to hear nothing of them, write providers = ["*", "!ID"] in each [[notify]]`)
		t.done()
		out = append(out, m)
	}
	return out
}

// warnOfGlobs warns about patterns that match no provider.
func (r *reading) warnOfGlobs(tables []*table, ids []string) {
	for _, t := range tables {
		patterns, _ := t.values["providers"].([]any)
		for i, p := range patterns {
			pattern, _ := p.(string)
			pattern = strings.TrimPrefix(pattern, "!")
			if !slices.ContainsFunc(ids, func(id string) bool { ok, _ := provider.MatchGlob(pattern, id); return ok }) {
				r.warn(t.elem("providers", i), "no provider matches %s%s", quote(pattern), nearestID(pattern, ids))
			}
		}
	}
}

func nearestID(pattern string, ids []string) string {
	if near := provider.Nearest(strings.Trim(pattern, "*?"), ids); len(near) > 0 {
		return ": did you mean " + near[0] + "?"
	}
	return ""
}
