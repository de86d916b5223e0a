package config

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Kind is what the configuration must know of a provider kind: its name, its
// defaults, and the environment variables that its vendor defined. The table of
// kinds itself is in daemon/probe, which passes it in.
type Kind struct {
	Name string
	Type provider.Type
	// BaseURL is the vendor's default; empty if base_url is required.
	BaseURL string
	// AddrEnv is the variable from which the vendor's own programs read the base URL, if
	// there is one. It is the default, and the one that clients should set.
	AddrEnv string
	// OldAddrEnv is a variable that the vendor's programs used to read. It is ignored, and
	// a warning says so; empty if there is none.
	OldAddrEnv string
	// ReadAddr turns the vendor's variables into a base URL, if that takes more than the
	// value of AddrEnv. It returns "" if none is set; it may be nil.
	ReadAddr func(getenv func(string) string) (string, error)
	// OddAddr says what looks like a mistake in the vendor's variables, though its programs
	// accept it, and what to do; empty if nothing does. It may be nil.
	OddAddr func(getenv func(string) string) string
	// OpenAI is what a client of OpenAI's API appends to the base URL: "/v1"; "/" stands for
	// the base URL itself. It is empty if the kind has no such API.
	OpenAI string
	// KeyEnv are the variables with the key; the first one that is set is used. Clients are
	// told to set the first.
	KeyEnv []string
	// TokenEnv is a variable whose value is sent as a Bearer token, while that of KeyEnv
	// goes into another header. It counts before KeyEnv.
	TokenEnv string
	// OwnKey reports whether a key can only be this vendor's, by its form; nil if the
	// vendor's keys have no special form. A key of another vendor is worth a warning.
	OwnKey func(key string) bool
	// KeyNeeded means that without a key no request is sent (no_credentials).
	KeyNeeded bool
	// Interval is how often to probe while it runs, for a kind whose vendor counts each
	// request against a user's quota; 0 means as often as others of its type. Only a
	// provider's own setting makes it shorter.
	Interval time.Duration
	// Schemes that base_url can have; nil means http and https.
	Schemes []string
	// Example is a base_url to show in errors, for a kind without a default and
	// with a scheme of its own.
	Example string
	// Port is the default port of base_url; http and https have their own.
	Port string
	// Path and Query mean that base_url can have them although its scheme is the kind's own.
	Path, Query bool
	// Settings are the names of the settings that this kind takes in addition to those of
	// every kind: "expect_status", "command".
	Settings []string
	// Address makes the address from such settings, for a kind that takes no base_url. It is
	// nil for the other kinds.
	Address func(*Provider) string
	// Hints say what to do next if the kind knows more than the reason's own hint.
	Hints provider.Hints
	// Feed is the vendor's own status feed, if there is one that reports on its API; the
	// zero Feed is none.
	Feed Feed
	// Default means that the kind is part of the configuration without a file. A cloud kind
	// that is not Default joins it if one of its KeyEnv is set and it has an address.
	Default bool
	// Check refuses settings that make no sense for the kind; it may be nil. With a
	// [SettingError] the error shows the setting's own line.
	Check func(*Provider) error
}

// A SettingError is returned by a [Kind]'s Check to say which setting is wrong.
type SettingError struct {
	Setting string // its name in the file: "base_url", "expect_json"
	Problem string // what is wrong, without a secret
	Fix     string // the line to type instead: base_url = "tcp://…"; can be empty
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Problem }

// readAddr is the base URL from the vendor's variables; empty if there is none.
func (k *Kind) readAddr(getenv func(string) string) (string, error) {
	if k.ReadAddr != nil {
		return k.ReadAddr(getenv)
	}
	return getenv(k.AddrEnv), nil
}

func (k *Kind) schemes() []string {
	if k.Schemes == nil {
		return []string{"http", "https"}
	}
	return k.Schemes
}

// takesKey reports whether the kind's requests can carry a key.
func (k *Kind) takesKey() bool {
	return slices.Contains(k.schemes(), "http") || slices.Contains(k.schemes(), "https")
}

// takes reports whether this kind takes a setting that not every kind takes.
func (k *Kind) takes(setting string) bool { return slices.Contains(k.Settings, setting) }

// listsModels reports whether the kind can say which models it has.
func (k *Kind) listsModels() bool { return k.Type != provider.Generic }

// keyIsSet reports whether one of the vendor's own key variables is set.
func (k *Kind) keyIsSet(env Env) bool {
	return slices.ContainsFunc(k.keyVariables(), func(name string) bool { return env.get(name) != "" })
}

// hasAddress reports whether the kind has an address without one in the file. A variable that
// cannot be read counts, so that it is reported.
func (k *Kind) hasAddress(env Env) bool {
	base, f := addressFromEnv(k, env)
	return k.BaseURL != "" || base.url != "" || f != nil
}

// keyVariables are the variables that can have the key, in order of precedence.
func (k *Kind) keyVariables() []string {
	if k.TokenEnv == "" {
		return k.KeyEnv
	}
	return append([]string{k.TokenEnv}, k.KeyEnv...)
}
