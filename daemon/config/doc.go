// Package config turns the configuration file into a [Config] that needs no
// further look-up, or into an [Error] that shows the offending line and says
// what to type instead.
//
// It exists so that the rest of the daemon never asks "is this set?" or "is this
// valid?": every default is filled in, every address is normalised and every key
// is read, or nothing is returned at all. That is what makes a bad reload
// harmless.
//
// What comes from outside (variables, user, files) is passed in as an [Env]; the
// table of kinds is passed in too, because it belongs to daemon/probe. The
// package imports go-toml, store/provider and store/trust beside the standard library. It
// uses go-toml twice: for the values, and through its "unstable" parser for
// where each of them stands, because a rule of ours that is broken deserves its
// line as much as a missing quote does.
//
// The file is handled as something that may hold a secret by mistake: no key,
// and nothing that looks like one, is repeated in an error, a warning or
// [Config.Show].
package config
