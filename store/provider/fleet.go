package provider

import (
	"fmt"
	"strings"
	"time"
)

// A FleetMode is how this machine stands to its fleet.
type FleetMode string

// The modes. The last is only of other members.
const (
	FleetOff        FleetMode = "off"        // no fleet is configured, or it cannot be used
	FleetConnecting FleetMode = "connecting" // not yet a member since the daemon started or the fleet was configured
	FleetOK         FleetMode = "ok"         // a member
	FleetAlone      FleetMode = "alone"      // cut off: everything is probed here
	FleetUnseen     FleetMode = "unseen"     // a member before this machine was cut off
)

// FleetNameTaken is in Why if another machine is a member by this one's name.
const FleetNameTaken = "another machine is a member by that name"

// FleetCertificateSoon is how long before a member's certificate expires people are told.
const FleetCertificateSoon = 14 * 24 * time.Hour

// FleetReply answers GET /api/fleet. Without a fleet it has Mode "off", Hint and, if a fleet is
// configured and cannot be used, Why.
type FleetReply struct {
	TS     Time      `json:"ts"`
	Mode   FleetMode `json:"mode"`
	Since  Time      `json:"since,omitzero"` // when the mode began
	Name   string    `json:"name,omitempty"`
	Member string    `json:"member,omitempty"` // this machine
	Why    string    `json:"why,omitempty"`    // it is not "ok": one printable line, without secrets
	Hint   string    `json:"hint,omitempty"`   // what to do next
	Trust  string    `json:"trust,omitempty"`  // "verify" or "follow"

	Endpoints          []string `json:"endpoints,omitempty"`           // of etcd, without user-info
	CertificateExpires Time     `json:"certificate_expires,omitzero"`  // this member's
	AnsweredMS         *int64   `json:"answered_ms,omitempty"`         // since etcd last answered, by a clock that does not jump
	StretchedIntervals float64  `json:"stretched_intervals,omitempty"` // while alone: the intervals of shared providers are up to this many times as long

	Members   []FleetMember   `json:"members"`              // by name
	Shared    []FleetShared   `json:"shared"`               // in the configuration's order
	NotShared []FleetUnshared `json:"not_shared,omitempty"` // in the configuration's order
	Hosts     []FleetHost     `json:"hosts"`                // other machines' own servers, by member

	Counters FleetCounters `json:"counters"`
}

// A FleetMember is one machine of the fleet.
type FleetMember struct {
	Member  string    `json:"member"`
	Host    string    `json:"host,omitempty"` // its host name
	Version string    `json:"version,omitempty"`
	Self    bool      `json:"self,omitempty"` // it is this machine
	Mode    FleetMode `json:"mode"`
	JoinedS *int64    `json:"joined_s,omitempty"` // how long it has been a member
	LagMS   *float64  `json:"lag_ms,omitempty"`   // how long a change takes to reach it, as it measured last
	Shares  int       `json:"shares"`             // how many of its providers it shares
	Held    int       `json:"held"`               // how many of them it probes for the fleet
	Holds   []string  `json:"holds,omitempty"`    // those that this machine has too, by this machine's ids

	OtherKey bool `json:"other_key,omitempty"` // its fleet_key is another one, so it shares nothing with this machine
}

// A FleetShared is a provider of this machine that other members may have too.
type FleetShared struct {
	ID        string `json:"id"`
	Prober    string `json:"prober,omitempty"`    // the member that probes it; absent: nobody at the moment
	Here      bool   `json:"here,omitempty"`      // this machine probes it
	Epoch     int64  `json:"epoch,omitempty"`     // rises when another member becomes the prober
	Members   int    `json:"members"`             // how many have it, including this machine
	AgeMS     *int64 `json:"age_ms,omitempty"`    // since the probe that its prober told of last
	OwnChecks uint64 `json:"own_checks"`          // this machine's probes of it while another member is the prober
	Disagrees bool   `json:"disagrees,omitempty"` // this machine's own evidence contradicts the prober's, and holds here
	LimitMS   int64  `json:"limit_ms,omitempty"`  // rate-limited for everybody, for so long
	LimitBy   string `json:"limit_by,omitempty"`  // the member that met the limit
}

// A FleetUnshared is a provider that never leaves this machine.
type FleetUnshared struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// A FleetHost is another machine, and the servers that run on it.
type FleetHost struct {
	Member    string     `json:"member"`
	AgeMS     int64      `json:"age_ms"`            // since this machine received it
	More      int        `json:"more,omitempty"`    // how many servers were left out, because there are too many
	Providers []FleetRow `json:"providers"`         // in that machine's order
	Version   string     `json:"version,omitempty"` // of its daemon
}

// A FleetRow is what another machine says about one of its own servers.
type FleetRow struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Type      Type   `json:"type"`
	State     State  `json:"state"`
	Reason    Reason `json:"reason"`
	Hint      string `json:"hint,omitempty"` // made here, from the reason
	Version   string `json:"version,omitempty"`
	CheckedMS *int64 `json:"checked_ms,omitempty"` // since its last probe began
	RetryInMS int64  `json:"retry_in_ms,omitempty"`

	// Endpoint is where other machines reach it: absent if it serves its own machine only.
	Endpoint string  `json:"endpoint,omitempty"`
	Client   *Client `json:"client,omitempty"` // made here, from kind and endpoint

	LatencyMS    float64  `json:"latency_ms,omitempty"` // as seen there
	ModelsCount  *int     `json:"models_count,omitempty"`
	Models       []string `json:"models,omitempty"` // their names, as many as fit
	LoadedModels []string `json:"loaded_models,omitempty"`
}

// WithOtherKey are the members that have another fleet_key than this machine.
func (r *FleetReply) WithOtherKey() (members []string) {
	for i := range r.Members {
		if r.Members[i].OtherKey {
			members = append(members, r.Members[i].Member)
		}
	}
	return members
}

// SomeOf are the first of the names, and how many more there are.
func SomeOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// FleetCounters count since the daemon started.
type FleetCounters struct {
	Writes    uint64 `json:"writes"`     // transactions sent to etcd
	Claims    uint64 `json:"claims"`     // became the prober of a provider
	Fenced    uint64 `json:"fenced"`     // writes refused, because another member had become the prober
	OwnChecks uint64 `json:"own_checks"` // probes of providers that another member probes
	Refused   uint64 `json:"refused"`    // values of others that could not be believed: too large, garbled, or not theirs
	Alone     uint64 `json:"alone"`      // times that this machine was cut off
}

// NoFleet is the reply of a daemon without a fleet.
func NoFleet() FleetReply {
	return FleetReply{
		Mode:    FleetOff,
		Hint:    "a fleet shares probes among machines: add [fleet] to the configuration",
		Members: []FleetMember{}, Shared: []FleetShared{}, Hosts: []FleetHost{},
	}
}
