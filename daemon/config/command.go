package config

import (
	"regexp"
	"slices"
	"strings"
)

const secretName = `(?:key|token|secret|passw|pwd|credential|authorization|bearer)`

var (
	// secretOption is an option whose value is the next word: --password, -token.
	secretOption = regexp.MustCompile(`(?i)^--?[\w-]*` + secretName + `[\w-]*$`)
	// secretValue is a word that contains the value: --password=x, TOKEN=x,
	// "Authorization: Bearer x".
	secretValue = regexp.MustCompile(`(?i)^[\w-]*` + secretName + `[\w-]*\s*[=:]\s*(?:bearer\s+|basic\s+)?(.+)$`)
	// password is the password in a URL.
	password = regexp.MustCompile(`://[^/\s:@]*:([^@\s]+)@`)
	// optionValue is a secret option and its value as they are in the file: in a list or, by
	// mistake, in one text.
	optionValue = regexp.MustCompile(`(?i)((?:^|["'\s])--?[\w-]*` + secretName + `[\w-]*(?:["']\s*,\s*["']|\s+))[^"']+`)
)

// minArgument is the least length of a secret among the arguments that is masked: a shorter
// one would be found everywhere.
const minArgument = 3

// ArgumentSecrets are the arguments of Command, or parts of them, that look like secrets by
// their own or their option's name. Only the program knows which short options, such as -p,
// take a password.
func (p *Provider) ArgumentSecrets() []string { return ArgumentSecrets(p.Command) }

// ArgumentSecrets are those of any command.
func ArgumentSecrets(command []string) []string {
	var found []string
	add := func(s string) {
		if len(s) >= minArgument && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	for i, arg := range command {
		if i == 0 {
			continue
		}
		if i > 1 && secretOption.MatchString(command[i-1]) && !strings.HasPrefix(arg, "-") {
			add(arg)
		}
		if m := secretValue.FindStringSubmatch(arg); m != nil {
			add(m[1])
		}
		for _, m := range password.FindAllStringSubmatch(arg, -1) {
			add(m[1])
		}
		for _, w := range word.FindAllString(arg, -1) {
			if looksSecret(w) {
				add(w)
			}
		}
	}
	// The longest first, because one may contain another.
	slices.SortStableFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// shownCommand returns a command without its secrets, and whether it had any.
func shownCommand(command []string) (words []string, hidden bool) {
	secrets := ArgumentSecrets(command)
	words = slices.Clone(command)
	for i := range words {
		for _, s := range secrets {
			if i > 0 {
				words[i] = strings.ReplaceAll(words[i], s, masked)
			}
		}
	}
	return words, len(secrets) > 0
}
