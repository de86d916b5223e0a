package config

import "strings"

// ReadCredential reads the credential in a file that the configuration names, such as a token.
// setting is the setting that names it. loose reports that every user can read it. The error is
// a [*SettingError], and does not repeat what is in the file.
func (e Env) ReadCredential(setting, name string) (s Secret, loose bool, err error) {
	s, loose, f := e.credentialIn(name)
	if f != nil {
		return Secret{}, false, &SettingError{Setting: setting, Problem: f.message, Fix: f.fix}
	}
	return s, loose, nil
}

func (e Env) credentialIn(name string) (s Secret, loose bool, f *flaw) {
	data, mode, err := e.readFile(name, maxKeyFile)
	if err != nil {
		return Secret{}, false, flawf(strings.Replace(keyFileFix(err, name, e), "only the key", "the credential alone", 1),
			"%s cannot be read: %s", quote(name), reasonOf(err)).of(err, name)
	}
	text := bareKey(string(data))
	if text == "" {
		return Secret{}, false, flawf("write the credential into it", "%s is empty", quote(name))
	}
	if problem := badKey(text); problem != "" {
		return Secret{}, false, flawf("write the credential alone into the file, on one line", "%s %s", quote(name), problem)
	}
	return NewSecret(text), mode&0o004 != 0 && e.OS != "windows", nil
}
