package config

import (
	"fmt"
	"strings"
)

// ReadCredential reads the credential in a file that the configuration names, such as a token.
// setting is the setting that names it. loose reports that every user can read it. The error is
// a [*SettingError], and does not repeat what is in the file.
func (e Env) ReadCredential(setting, name string) (s Secret, loose bool, err error) {
	wrong := func(fix, format string, args ...any) (Secret, bool, error) {
		return Secret{}, false, &SettingError{Setting: setting, Problem: quote(name) + " " + fmt.Sprintf(format, args...), Fix: fix}
	}
	data, mode, err := e.readFile(name, maxKeyFile)
	if err != nil {
		return wrong(strings.Replace(keyFileFix(err, name, e), "only the key", "the credential alone", 1), "cannot be read: %s", reasonOf(err))
	}
	text := bareKey(string(data))
	if text == "" {
		return wrong("write the credential into it", "is empty")
	}
	if problem := badKey(text); problem != "" {
		return wrong("write the credential alone into the file, on one line", "%s", problem)
	}
	return NewSecret(text), mode&0o004 != 0 && e.OS != "windows", nil
}
