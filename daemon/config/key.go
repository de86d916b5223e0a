package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// maxKeyFile is the size, in bytes, above which a file does not hold a key.
const maxKeyFile = 64 << 10

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// A keyRef says where to take the key from; both empty: from the kind's own variables.
type keyRef struct{ env, file string }

// keyRef reads api_key_env and api_key_file, and rejects what cannot be used. A value that looks
// like the key itself is never repeated.
func (t *table) keyRef(kind *Kind) keyRef {
	env, hasEnv := t.text("api_key_env", `api_key_env = "OPENAI_API_KEY"`)
	file, hasFile := t.text("api_key_file", `api_key_file = "/etc/providerd/openai.key"`)
	switch {
	case (hasEnv || hasFile) && kind != nil && !kind.takesKey():
		key := "api_key_env"
		if !hasEnv {
			key = "api_key_file"
		}
		t.reject(t.name(key), flawf("leave it out", "kind %s sends no key", kind.Name))
	case hasEnv && hasFile:
		t.reject(t.name("api_key_file"), flawf("leave one of them out", "api_key_env and api_key_file are both set"))
	case hasEnv && (!envName.MatchString(env) || isKeyNotName(env)):
		t.reject(t.at("api_key_env"), flawf(`write api_key_env = "OPENAI_API_KEY", and put the key into that variable`,
			"api_key_env is not the name of a variable"))
		env = ""
	case hasFile && file == "":
		t.reject(t.at("api_key_file"), flawf(`write api_key_file = "/etc/providerd/openai.key"`, "api_key_file is empty"))
	case hasFile:
		var f *flaw
		if file, f = credentialPath("api_key_file", file, t.env); f != nil {
			t.reject(t.at("api_key_file"), f)
		}
	}
	return keyRef{env, file}
}

// isKeyNotName reports whether a name of a variable looks like a key. Names such as HF_TOKEN
// begin like keys, except for the capitals.
func isKeyNotName(s string) bool {
	return looksSecret(s) && (s != strings.ToUpper(s) || !strings.Contains(s, "_"))
}

// The service's unit loads each file NAME of the folder credentials as loadedKey and NAME.
// Without systemd the system daemon reads that folder itself, and so does `config check`.
const (
	credentials = "/etc/providerd/credentials"
	loadedKey   = "key_"
)

// KeyFolder is that folder.
const KeyFolder = credentials

// credentialPath is the file that a setting names. A bare name is a credential that systemd
// passes to the unit (LoadCredential=); source: systemd.exec(5).
func credentialPath(setting, name string, env Env) (string, *flaw) {
	switch {
	case strings.ContainsFunc(name, isControl):
		return "", flawf("write the path alone", "%s contains a control character", setting)
	case filepath.IsAbs(name):
		return name, nil
	case strings.ContainsAny(name, `/\`):
		return "", flawf("write the path in full, from the root", "%s is a relative path", setting)
	case looksSecret(name):
		what := "it"
		if setting == "api_key_file" {
			what = "the key"
		}
		return "", flawf("put "+what+" into a file, and write the path of the file", "%s is not the path of a file", setting)
	}
	dir := env.get("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) {
		if own, ok := strings.CutPrefix(name, loadedKey); ok && env.ForSystem() && env.OS != "windows" {
			return filepath.Join(credentials, own), nil
		}
		return "", flawf("write the path in full, or give the unit LoadCredential="+name,
			"%s is a bare name, which is looked up in CREDENTIALS_DIRECTORY, and that is not set", setting)
	}
	return filepath.Join(dir, name), nil
}

// credential reads the key.
func (t *table) credential(p *Provider, kind *Kind, ref keyRef) {
	defer t.missKey(p, kind, ref.env)
	var f *flaw
	var at span
	switch {
	case ref.file != "":
		at = t.at("api_key_file")
		var loose bool
		if p.Key, loose, f = keyFromFile(ref.file, t.env); loose {
			t.warn(at, "every user of this machine can read the key: chmod 600 %s", printable(ref.file))
		}
		p.KeySource = "file " + ref.file
		if f == nil {
			f = t.withheld(p, "key file "+quote(ref.file), "write into it")
		}
		t.doubtKey(p, kind, at, "key file "+quote(ref.file), writeIntoIt)
	case ref.env != "":
		at = t.at("api_key_env")
		p.Key, f = keyFromEnv(ref.env, t.env)
		p.KeySource = "env " + ref.env
		if f == nil && p.Key.IsZero() {
			t.warn(at, "provider %s: environment variable %s is %s", quote(p.ID), ref.env, t.env.unset(ref.env))
		}
		if f == nil {
			f = t.withheld(p, "environment variable "+ref.env, "set "+ref.env+" to")
		}
		t.doubtKey(p, kind, at, "environment variable "+ref.env, setVariable(ref.env))
	default:
		t.vendorKey(p, kind)
		return
	}
	if f != nil {
		t.fault(p.ID, at, f)
		p.setKeyFault(f, thenWhat(f, ref, t.env))
	}
}

// thenWhat is how a corrected key is read. A process keeps the variables that it was
// started with.
func thenWhat(f *flaw, ref keyRef, env Env) string {
	switch {
	case strings.Contains(f.fix, "restart the service"):
		return ""
	case ref.env != "":
		return ", then restart providerd"
	case isHanded(ref.file, env):
		return ", then restart the service"
	}
	return ", then: providerctl reload"
}

// setVariable says how to correct a variable.
func setVariable(name string) func(what string) string {
	return func(what string) string { return "set " + name + " to " + what + ", then restart providerd" }
}

// writeIntoIt says the same about a key file.
func writeIntoIt(what string) string { return "write " + what + " into it, then: providerctl reload" }

// doubtKey warns about something that hardly looks like a key. It is sent nevertheless, as the
// vendors' own programs do. If it is rejected, the hint says what to do.
func (r *reading) doubtKey(p *Provider, kind *Kind, at span, source string, put func(what string) string) {
	if p.Key.IsZero() {
		return
	}
	doubt, fix := doubtfulKey(p.Key.Reveal(), kind.KeyNeeded), put("the key alone")
	if doubt == "" {
		return
	}
	text := source + ": the key " + doubt + ": " + fix
	p.KeyDoubt = text
	r.warn(at, "%s", text)
	p.advise(text, provider.Unauthorized, provider.Forbidden)
}

// withheld takes from a provider a key that is not for the vendor at its address.
func (r *reading) withheld(p *Provider, source, put string) *flaw {
	f := anothersKey(r.kinds, p.Key.Reveal(), p.BaseURL, source, put)
	if f != nil {
		p.Key = Secret{}
	}
	return f
}

// anothersKey refuses a key that can only belong to one vendor and would go to another
// vendor's own address. At any other address, such as a gateway's, it may be just the key
// that is wanted.
func anothersKey(kinds []Kind, key, base, source, put string) *flaw {
	from, to := vendorsOf(kinds, key, hostOf(base))
	if from == "" || to == "" || from == to {
		return nil
	}
	return flawf(put+" a key for "+to, "%s: the key is one for %s, and is not sent to %s", source, from, to)
}

// vendorsOf names the vendor of a key, by its form, and the vendor at a host, as far as
// each is certain. They are one if any kind has both.
func vendorsOf(kinds []Kind, key, host string) (from, to string) {
	if key == "" || host == "" {
		return "", ""
	}
	for i := range kinds {
		kind := &kinds[i]
		own, there := kind.OwnKey != nil && kind.OwnKey(key), kind.Type == provider.Cloud && hostOf(kind.BaseURL) == host
		switch {
		case own && there:
			return kind.Name, kind.Name
		case own:
			from = kind.Name
		case there:
			to = kind.Name
		}
	}
	return from, to
}

// missKey notes which variable to set: the configured one, or else the vendor's.
func (r *reading) missKey(p *Provider, kind *Kind, named string) {
	r.adviseService(p, kind, named)
	switch {
	case !kind.KeyNeeded || !p.Key.IsZero():
		return
	case named != "":
		p.KeyMissing = named
	case len(kind.KeyEnv) > 0:
		p.KeyMissing = kind.KeyEnv[0]
	}
	if p.KeyFault == "" && r.env.unset(p.KeyMissing) == "empty" {
		p.KeyFault = p.KeyMissing + " is empty"
	}
}

// vendorKey sets the key from the first of the vendor's own variables that is set.
func (r *reading) vendorKey(p *Provider, kind *Kind) {
	for _, name := range kind.keyVariables() {
		key, f := keyFromEnv(name, r.env)
		if f == nil && key.IsZero() {
			continue
		}
		p.Key, p.KeySource = key, "env "+name
		r.sayWhichCounts(kind, name)
		if f == nil {
			f = r.withheld(p, "environment variable "+name, "set "+name+" to")
		}
		if f != nil {
			r.warnOf(f)
			p.setKeyFault(f, ", then restart providerd")
		}
		r.doubtKey(p, kind, nowhere, "environment variable "+name, setVariable(name))
		return
	}
}

// sayWhichCounts warns if two variables are set that are sent in different ways.
func (r *reading) sayWhichCounts(kind *Kind, name string) {
	if name == kind.TokenEnv && len(kind.KeyEnv) > 0 && r.env.get(kind.KeyEnv[0]) != "" {
		r.warn(nowhere, "environment variables %s and %s are both set: %s is used", name, kind.KeyEnv[0], name)
	}
}

func keyFromEnv(name string, env Env) (Secret, *flaw) {
	key := bareKey(env.get(name))
	if problem := badKey(key); problem != "" {
		return Secret{}, flawf("set "+name+" to the key alone", "environment variable %s: the key %s", name, problem)
	}
	return NewSecret(key), nil
}

// keyFromFile reads the key; loose reports that others may read it too.
func keyFromFile(name string, env Env) (key Secret, loose bool, f *flaw) {
	data, mode, err := env.readFile(name, maxKeyFile)
	shown := quote(name)
	if err != nil {
		return Secret{}, false, flawf(keyFileFix(err, name, env), "key file %s: %s", shown, reasonOf(err)).of(err, name)
	}
	text := bareKey(string(data))
	if text == "" {
		return Secret{}, false, flawf("write the key into it", "key file %s is empty", shown)
	}
	if problem := badKey(text); problem != "" {
		return Secret{}, false, flawf("write only the key into the file, on one line", "key file %s: the key %s", shown, problem)
	}
	// Windows has no such bits and reports all of them.
	return NewSecret(text), mode&0o004 != 0 && env.OS != "windows", nil
}

func keyFileFix(err error, name string, env Env) string {
	own, loaded := strings.CutPrefix(filepath.Base(name), loadedKey)
	handed := isHanded(name, env)
	switch {
	case errors.Is(err, fs.ErrNotExist) && handed && loaded:
		return notLoaded(filepath.Join(credentials, own), env)
	case errors.Is(err, fs.ErrNotExist) && handed:
		base := printable(filepath.Base(name))
		return "give the unit LoadCredential=" + base + ":FILE or, if it has that already, " + unloaded(env)
	case errors.Is(err, fs.ErrPermission) && filepath.Dir(name) == credentials && env.get("INVOCATION_ID") != "":
		return notLoaded(name, env) // systemd started us, but without credentials
	case errors.Is(err, fs.ErrPermission):
		return "let the user that runs providerd read it"
	case errors.Is(err, fs.ErrNotExist):
		return "create it, or correct the path"
	}
	return "write the path of a file that contains only the key"
}
