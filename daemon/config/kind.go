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
	// BaseURL is the vendor's default; empty when base_url must be given.
	BaseURL string
	// AddrEnv is the variable in which the vendor's own programs look for the base
	// URL, if there is one. So it is the default, and what clients are told to set.
	AddrEnv string
	// OldAddrEnv is a variable that the vendor's programs used to read. It is ignored, and
	// a warning says so; empty if there is none.
	OldAddrEnv string
	// ReadAddr turns the vendor's variables into a base URL, where that takes more
	// than the value of AddrEnv. It returns "" when none is set; it may be nil.
	ReadAddr func(getenv func(string) string) (string, error)
	// OddAddr says what is hardly meant in the vendor's variables, though its programs
	// accept it, and what to do; empty if nothing is. It may be nil.
	OddAddr func(getenv func(string) string) string
	// OpenAI is what a client of OpenAI's API puts after the base URL: "/v1"; "/" is
	// the base URL as it is. It is empty where the kind has no such API.
	OpenAI string
	// KeyEnv are the variables that hold the key, the first one set wins. Clients
	// are told of the first.
	KeyEnv []string
	// TokenEnv is a variable whose value is sent as a Bearer token, while that of KeyEnv
	// goes into another header. It counts before KeyEnv.
	TokenEnv string
	// OwnKey reports whether a key can only be this vendor's, by the form that it gives
	// them; nil where its keys have none. Another vendor's key in its place is worth a word.
	OwnKey func(key string) bool
	// KeyNeeded: without a key no request is sent (no_credentials).
	KeyNeeded bool
	// Interval is how often to ask while it runs, for a kind whose vendor counts
	// each request against what a person has; 0 means as often as others of its
	// type. Only a provider's own setting makes it shorter.
	Interval time.Duration
	// Schemes that base_url may have; nil means http and https.
	Schemes []string
	// Example is a base_url to show in errors, for a kind without a default and
	// with a scheme of its own.
	Example string
	// Port is the port that base_url may leave out; http and https have theirs.
	Port string
	// Path and Query: base_url may have them, though its scheme is a kind's own.
	Path, Query bool
	// Settings are the names of the settings that this kind takes beyond those of
	// every kind: "expect_status", "command".
	Settings []string
	// Address makes the address from such settings, for a kind that takes no
	// base_url. It is nil for the others.
	Address func(*Provider) string
	// Hints say what to do next where the kind knows more than the reason's own hint.
	Hints provider.Hints
	// Feed is the vendor's own status feed, where there is one that says how its
	// API does; the zero Feed is none.
	Feed Feed
	// Default: part of the configuration without a file. A cloud kind that is
	// not Default joins it when one of its KeyEnv is set, and it has an address.
	Default bool
	// Check refuses settings that make no sense for the kind; it may be nil. A
	// [SettingError] makes the error point at the setting's own line.
	Check func(*Provider) error
}

// A SettingError is how a [Kind]'s Check says which setting is wrong.
type SettingError struct {
	Setting string // as it is written in the file: "base_url", "expect_json"
	Problem string // what is wrong, without a secret
	Fix     string // the line to type instead: base_url = "tcp://…"; may be empty
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Problem }

// readAddr is the base URL that the vendor's variables hold; empty when there is none.
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

// takesKey reports whether there is a request that could carry a key.
func (k *Kind) takesKey() bool {
	return slices.Contains(k.schemes(), "http") || slices.Contains(k.schemes(), "https")
}

// takes reports whether a setting that is not every kind's is this kind's.
func (k *Kind) takes(setting string) bool { return slices.Contains(k.Settings, setting) }

// listsModels reports whether the kind can say which models it has.
func (k *Kind) listsModels() bool { return k.Type != provider.Generic }

// keyIsSet reports whether one of the vendor's own key variables is set.
func (k *Kind) keyIsSet(env Env) bool {
	return slices.ContainsFunc(k.keyVariables(), func(name string) bool { return env.get(name) != "" })
}

// hasAddress reports whether the kind is somewhere when the file does not say
// where. A variable that cannot be read counts, so that it is reported.
func (k *Kind) hasAddress(env Env) bool {
	base, f := addressFromEnv(k, env)
	return k.BaseURL != "" || base.url != "" || f != nil
}

// keyVariables are those that may hold the key, the one that counts first.
func (k *Kind) keyVariables() []string {
	if k.TokenEnv == "" {
		return k.KeyEnv
	}
	return append([]string{k.TokenEnv}, k.KeyEnv...)
}
