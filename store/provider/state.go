// Package provider is the vocabulary that the daemon, its clients and its database share:
// a provider's state ([State]), why ([Reason]), what is known of it ([Status]), what
// happened to it ([Event]), and the replies of the control socket (the types in api.go,
// the error table in error.go).
//
// It has only values: no I/O, no clock, no goroutine. It imports only the standard
// library, so that every other package may import it.
package provider

import (
	"fmt"
	"strings"
)

// A State is whether a provider can be used, in one word.
type State string

const (
	StateUnknown  State = "UNKNOWN"  // not checked yet, or it cannot be told
	StateStopped  State = "STOPPED"  // confirmed not there
	StateStarting State = "STARTING" // there, and loading
	StateRunning  State = "RUNNING"  // usable now
	StateDegraded State = "DEGRADED" // it, or something in front of it, is there, and of limited use now
	StateError    State = "ERROR"    // needs a person
)

// States are all states, in the order in which docs explain them.
var States = [...]State{StateUnknown, StateStopped, StateStarting, StateRunning, StateDegraded, StateError}

// ParseState parses a state in any case. It accepts READY and DISCONNECTED, which older
// tools use for RUNNING and STOPPED.
func ParseState(s string) (State, error) {
	switch up := State(strings.ToUpper(s)); up {
	case StateUnknown, StateStopped, StateStarting, StateRunning, StateDegraded, StateError:
		return up, nil
	case "READY":
		return StateRunning, nil
	case "DISCONNECTED":
		return StateStopped, nil
	}
	return "", fmt.Errorf("no such state: %q (use UNKNOWN, STOPPED, STARTING, RUNNING, DEGRADED or ERROR)", s)
}

// A Type is where a provider runs, which decides how often it is probed.
type Type string

const (
	Local   Type = "local"   // a server on this machine or its network
	Cloud   Type = "cloud"   // a vendor's API, used with a key
	Generic Type = "generic" // any HTTP or TCP service
)

// A Source is how a status became known.
type Source string

const (
	FromProbe    Source = "probe"    // providerd probed the provider
	FromReport   Source = "report"   // a caller reported what it met
	FromFleet    Source = "fleet"    // another member of the fleet probed the provider
	FromRestored Source = "restored" // read from the database, not probed since the daemon started
)
