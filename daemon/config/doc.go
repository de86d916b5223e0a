// Package config turns the configuration file into a [Config] that needs no
// further look-up, or into an [Error] that shows the line at fault and says what to type
// instead.
//
// The rest of the daemon never has to ask "is this set?" or "is this valid?": every default is
// filled in, every address is normalised and every key is read, or nothing is returned at all.
// That makes a bad reload harmless.
//
// The environment (variables, user, files) is passed in as an [Env]. The table of kinds is
// passed in too, because it belongs to daemon/probe. The package imports go-toml,
// store/provider and store/trust in addition to the standard library. It uses go-toml twice:
// for the values, and through its "unstable" parser for their positions, so that an error
// about a rule of ours shows its line just like a missing quote.
//
// The file may contain a secret by mistake: no key, and nothing that looks like one, is
// repeated in an error, a warning or [Config.Show].
package config
