// Package provider is the vocabulary that the daemon, its clients and its
// database share: what a provider can be ([State]), why ([Reason]), what is known
// of it ([Status]), what happened to it ([Event]), and how the control socket
// says so (the reply types in api.go, the error table in error.go).
//
// It holds values only: no I/O, no clock, no goroutine. It imports nothing but
// the standard library, so that every other package may import it.
package provider

import (
	"fmt"
	"strings"
)

// A State says whether a provider can be used, in one word.
type State string

const (
	StateUnknown  State = "UNKNOWN"  // not checked yet, or we cannot tell
	StateStopped  State = "STOPPED"  // confirmed not there
	StateStarting State = "STARTING" // there, and loading
	StateRunning  State = "RUNNING"  // usable now
	StateDegraded State = "DEGRADED" // it, or something in front of it, is there, and of limited use now
	StateError    State = "ERROR"    // needs a person
)

// States lists every state, in the order in which they are explained.
var States = [...]State{StateUnknown, StateStopped, StateStarting, StateRunning, StateDegraded, StateError}

// ParseState reads a state in either case. READY and DISCONNECTED are accepted
// as the names that older tools use for RUNNING and STOPPED.
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

// A Type says where a provider runs, which decides how often it is asked.
type Type string

const (
	Local   Type = "local"   // a server on this machine or its network
	Cloud   Type = "cloud"   // a vendor's API, asked with a key
	Generic Type = "generic" // any HTTP or TCP service
)

// A Source says how we came to know a status.
type Source string

const (
	FromProbe    Source = "probe"    // providerd asked the provider
	FromReport   Source = "report"   // a caller told us what it met
	FromRestored Source = "restored" // read from the database, not asked since the daemon started
)
