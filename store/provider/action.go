package provider

// What systemd can be asked to do with the unit of a provider.
const (
	ActionStart   = "start"
	ActionStop    = "stop"
	ActionRestart = "restart"
)

// The phases of an [ActionNote].
const (
	ActionBegins = "begins" // systemd is about to be asked
	ActionDone   = "done"   // systemd has done it
	ActionFailed = "failed" // it has not, or refused
)

// An ActionNote is the body of POST /api/providers/{id}/action: what the caller asks systemd to
// do with the provider's unit. The daemon itself starts and stops nothing.
type ActionNote struct {
	Action string `json:"action"` // "start", "stop" or "restart"
	Phase  string `json:"phase"`  // "begins", then "done" or "failed"
}

// An Action is what a user said that they ask systemd to do, shortly before an event that can be
// its effect.
type Action struct {
	Name string `json:"name"` // "start", "stop" or "restart"
	By   string `json:"by"`   // the user, as the system reports them: "uid 1000"
}

// String is "after stop by uid 1000".
func (a *Action) String() string { return "after " + a.Name + " by " + a.By }

// Explains reports whether an event can be the effect of the action: a stop does not make a
// provider usable.
func (a *Action) Explains(e *Event) bool {
	usable := e.To == StateRunning || e.To == StateDegraded
	return a.Name != ActionStop || !usable
}
