package config

import (
	"errors"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// providers reads each [[provider]] and skips those that are not enabled.
func (r *reading) providers(entries []*table, defaults timing) []Provider {
	var out []Provider
	ids := map[string]int{} // the line of the first provider with that id
	for _, t := range entries {
		p, enabled := t.provider(ids, defaults)
		t.done()
		if enabled {
			out = append(out, p)
		}
	}
	return out
}

// provider reads one [[provider]]. If the kind is unknown, only the settings that every kind
// has can be checked.
func (t *table) provider(ids map[string]int, defaults timing) (Provider, bool) {
	before := len(t.mistakes)
	p := Provider{ID: t.id(ids)}
	kind := t.kind()
	base, hasBase := t.text("base_url", `base_url = "http://127.0.0.1:11434"`)
	ref := t.keyRef(kind)
	p.Models = t.models(kind)
	feed := t.statusFeed(kind)
	own := t.timing()
	t.kindSettings(&p, kind)
	p.TLS = t.tls(kind)
	if share, isSet := get[bool](t, "share", "share = false"); isSet {
		p.Private = !share
	}
	p.Slots = t.slots()
	enabled, isSet := get[bool](t, "enabled", "enabled = true")
	enabled = enabled || !isSet
	if kind == nil {
		return p, false
	}
	p.Kind, p.Type, p.Hints = kind.Name, kind.Type, kind.Hints
	p.setTiming(kind.timing(own, defaults))
	t.address(&p, kind, base, hasBase)
	t.serverUnit(&p, kind)
	if !enabled { // its key may be missing
		return p, false
	}
	t.credential(&p, kind, ref)
	t.tlsFiles(&p)
	p.setFeed(kind, feed)
	p.setClient(kind)
	if len(t.mistakes) == before && p.AddressFault == "" {
		t.check(&p, kind)
	}
	return p, true
}

func (p *Provider) setTiming(t timing) {
	p.Interval, p.Timeout, p.SlowAfter = t.interval, t.timeout, t.slowAfter
	p.Rise, p.Fall = t.rise, t.fall
}

func (t *table) id(ids map[string]int) string {
	id := t.nameOf("provider", "ollama", ids)
	if id == "status" || id == "refresh" || id == provider.HostID { // reserved by the control socket
		t.reject(t.at("id"), flawf(`write id = "`+id+`-server"`, "id %s is reserved", quote(id)))
		return ""
	}
	return id
}

// nameOf reads the id of an entry. what is what the entries are, and ids has the lines of those
// before it.
func (t *table) nameOf(what, example string, ids map[string]int) string {
	id, ok := t.text("id", `id = "`+example+`"`)
	switch {
	case !ok:
		if t.values["id"] == nil {
			t.reject(t.header(), flawf(`write id = "`+example+`"`, "this %s has no id", what))
		}
		return ""
	case len(id) > provider.MaxID:
		t.reject(t.at("id"), flawf("choose a shorter one", "id is %d characters long: it can have at most %d", len(id), provider.MaxID))
		return ""
	case !provider.IsSpelledAsID(id):
		t.reject(t.at("id"), flawf(idFix(id, example), `id is %s: it can have a-z 0-9 . _ - and one ":" before an instance`, quote(id)))
		return ""
	case provider.IsReservedID(id):
		t.reject(t.at("id"), flawf(`write id = "`+id+`-server"`, "id %s is reserved", quote(id)))
		return ""
	}
	line, _ := position(t.doc.data, t.at("id").start)
	if first := ids[id]; first > 0 {
		t.reject(t.at("id"), flawf(`give each its own, as in id = "`+id+`:2"`, "id %s is taken by the %s in line %d", quote(id), what, first))
		return id
	}
	ids[id] = line
	return id
}

// idFix proposes the nearest id that is allowed.
func idFix(id, example string) string {
	fixed := strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(id)), "._-")
	if fixed == "" || maskSecrets(id) != id {
		fixed = example + ":gpu"
	}
	return `write id = "` + fixed + `"`
}

func (t *table) kind() *Kind {
	name, ok := t.text("kind", `kind = "ollama"`)
	if !ok {
		if t.values["kind"] == nil {
			t.reject(t.header(), flawf(`write kind = "openai-compatible", or another`, "this provider has no kind"))
		}
		return nil
	}
	names := make([]string, len(t.kinds))
	for i := range t.kinds {
		if t.kinds[i].Name == name {
			return &t.kinds[i]
		}
		names[i] = t.kinds[i].Name
	}
	t.reject(t.at("kind"), flawf(didYouMean(name, names), "unknown kind %s", quote(name)))
	return nil
}

// models reads the models that must be available.
func (t *table) models(kind *Kind) []string {
	const example = `models = ["qwen3:8b"]`
	names, ok := list[string](t, "models", example)
	if !ok {
		return nil
	}
	if kind != nil && !kind.listsModels() {
		t.reject(t.at("models"), flawf("leave models out", "kind %s has no models", kind.Name))
		return nil
	}
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case strings.TrimSpace(name) == "":
			t.reject(t.elem("models", i), flawf("write "+example, "the name of a model is empty"))
		case name != strings.TrimSpace(name) || strings.ContainsFunc(name, isControl):
			t.reject(t.elem("models", i), flawf("write the name alone", "the name of a model contains blanks or control characters"))
		case seen[name]:
			t.reject(t.elem("models", i), flawf("leave one out", "model %s is named twice", quote(name)))
		}
		seen[name] = true
	}
	return names
}

// check lets the kind decide whether the settings go together.
func (t *table) check(p *Provider, kind *Kind) {
	if kind.Check == nil {
		return
	}
	err := kind.Check(p)
	if err == nil {
		return
	}
	if f := p.variableFlaw(kind, err); f != nil {
		t.warnOf(f)
		p.setAddressFault(f)
		return
	}
	t.rejectFor(err)
}

// rejectFor rejects what a kind's own check found, at the setting that it names.
func (t *table) rejectFor(err error) {
	var setting *SettingError
	if errors.As(err, &setting) {
		fix := setting.Fix
		if fix != "" {
			fix = "write " + fix
		}
		t.reject(t.at(setting.Setting), flawf(fix, "%s: %s", setting.Setting, maskSecrets(printable(setting.Problem))))
		return
	}
	t.reject(t.header(), flawf("", "%s", maskSecrets(printable(err.Error()))))
}

// variableFlaw is what a kind's Check says about an address from a variable; nil for anything
// else.
func (p *Provider) variableFlaw(kind *Kind, err error) *flaw {
	var setting *SettingError
	if p.BaseURLGiven || kind.AddrEnv == "" || !errors.As(err, &setting) || setting.Setting != "base_url" {
		return nil
	}
	fix := "correct or unset " + kind.AddrEnv
	if _, value, ok := strings.Cut(setting.Fix, " = "); ok {
		fix = "set " + kind.AddrEnv + " to " + strings.Trim(value, `"`)
	}
	return flawf(fix, "environment variable %s: %s", kind.AddrEnv, maskSecrets(printable(setting.Problem)))
}

// checkVariables lets the kind decide whether the address from its variables is usable.
func (r *reading) checkVariables(p *Provider, kind *Kind) {
	if kind.Check == nil || p.AddressFault != "" {
		return
	}
	if err := kind.Check(p); err != nil {
		if f := p.variableFlaw(kind, err); f != nil {
			r.warnOf(f)
			p.setAddressFault(f)
		}
	}
}
