package provider

// A Topic is a kind of news that people can be told about.
type Topic string

const (
	TopicUnusable  Topic = "unusable"  // it stopped serving, and may recover by itself
	TopicUsable    Topic = "usable"    // what people were told of is over
	TopicLimited   Topic = "limited"   // rate-limited
	TopicAttention Topic = "attention" // it stopped serving, and that lasts until somebody acts
	TopicIncident  Topic = "incident"  // it serves, and the vendor reports an outage
	TopicHost      Topic = "host"      // this machine was offline
)

// Topics are all of them.
var Topics = [...]Topic{TopicUnusable, TopicUsable, TopicLimited, TopicAttention, TopicIncident, TopicHost}

// TopicOf is what a provider in that state, for that reason, is news of: usable, or the kind
// of trouble. It is empty if the state says nothing about the provider.
func TopicOf(state State, reason Reason) Topic {
	switch {
	case reason == Paused || reason == ProbeFailed || reason == NotChecked && state != StateRunning: // nobody looked
		return ""
	case reason == VendorIncident:
		return TopicIncident
	case state == StateRunning || state == StateDegraded && reason.Meaning().Serves:
		return TopicUsable
	case state == StateUnknown || state == "":
		return ""
	case reason == RateLimited:
		return TopicLimited
	case reason.NeedsPerson():
		return TopicAttention
	}
	return TopicUnusable
}

// A NoticeType is what a notice says.
type NoticeType string

const (
	NoticeOpened NoticeType = "opened" // trouble began
	NoticeClosed NoticeType = "closed" // trouble that was told is over
	NoticeMerged NoticeType = "merged" // trouble began and is over; the notice that it began may have arrived or not
	NoticeDigest NoticeType = "digest" // several of these at once
	NoticeTest   NoticeType = "test"   // somebody wants to know whether it arrives
)

// NotWatched is the detail of a notice that is closed because its provider is no longer watched.
const NotWatched = "no longer watched"

// A Notice is one message to a person, as a webhook receives it. However often it is sent, its
// id is the same.
type Notice struct {
	ID       string     `json:"id"`
	Type     NoticeType `json:"type"`
	Provider string     `json:"provider,omitempty"` // "host" is this machine; absent in a digest and a test
	State    State      `json:"state,omitempty"`    // of the provider: when the trouble was last seen or, if it is closed, after it
	Reason   Reason     `json:"reason,omitempty"`   // likewise
	Detail   string     `json:"detail,omitempty"`   // one printable line, without secrets
	Hint     string     `json:"hint,omitempty"`     // what to do next
	Since    Time       `json:"since,omitzero"`     // when the trouble began
	Until    Time       `json:"until,omitzero"`     // when it ended; absent while it lasts
	Times    int        `json:"times,omitempty"`    // how often it began meanwhile, if more than once
	Host     string     `json:"host,omitempty"`     // the name of this machine

	// Of a digest:
	Opened []string     `json:"opened,omitempty"` // whose trouble began and lasts
	Closed []string     `json:"closed,omitempty"` // whose trouble, which was told, is over
	Merged []string     `json:"merged,omitempty"` // whose trouble began and is over
	Worst  []NoticeItem `json:"worst,omitempty"`  // the ten worst, worst first
	More   int          `json:"more,omitempty"`   // how many are not among those

	Lost uint64 `json:"lost,omitempty"` // how many events were gone before anybody could be told of them

	// What a person reads. In a webhook they are absent, unless the configuration has templates.
	Title string `json:"title,omitempty"`
	Body  string `json:"body,omitempty"`
}

// A NoticeItem is one provider in a digest.
type NoticeItem struct {
	Type     NoticeType `json:"type"`
	Provider string     `json:"provider"`
	State    State      `json:"state"`
	Reason   Reason     `json:"reason"`
	Detail   string     `json:"detail,omitempty"`
	Hint     string     `json:"hint,omitempty"`
	Since    Time       `json:"since,omitzero"`
	Until    Time       `json:"until,omitzero"`
}

// NotifyReply answers GET /api/notify.
type NotifyReply struct {
	Sinks       []NotifySink  `json:"sinks"`       // in the configuration's order
	Maintenance []Maintenance `json:"maintenance"` // announced ones that last
}

// A NotifySink is one way to tell people, and what waits there.
type NotifySink struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Sent       uint64          `json:"sent"`    // messages that were accepted, ever
	Refused    uint64          `json:"refused"` // messages that were given up, ever
	SentAt     Time            `json:"sent_at,omitzero"`
	Waiting    int             `json:"waiting"`         // messages that are still to be sent
	Oldest     Time            `json:"oldest,omitzero"` // when the oldest of those was made
	Dead       int             `json:"dead"`            // messages that are not sent any more
	LastError  string          `json:"last_error,omitempty"`
	QuietUntil Time            `json:"quiet_until,omitzero"` // it is in its quiet hours
	Open       []string        `json:"open"`                 // providers whose trouble was told and is not over
	Messages   []NotifyMessage `json:"messages"`             // that wait or are dead, oldest first
}

// A NotifyMessage is a message that has not been accepted.
type NotifyMessage struct {
	ID     string     `json:"id"`
	Type   NoticeType `json:"type"`
	About  []string   `json:"about"` // providers
	MadeAt Time       `json:"made_at"`
	Tries  int        `json:"tries"` // since the daemon started
	NextAt Time       `json:"next_at,omitzero"`
	Error  string     `json:"error,omitempty"` // of the last try
	Dead   string     `json:"dead,omitempty"`  // why it is not sent any more
}

// A Maintenance is a time in which trouble of a provider is expected, and nobody is told of it.
type Maintenance struct {
	ID    string `json:"id"`             // of the provider
	Since Time   `json:"since,omitzero"` // absent if the configuration announces it
	Until Time   `json:"until"`
	By    string `json:"by,omitempty"` // who announced it: "uid 1000"; absent if the configuration does
}

// NotifyAction answers a command for a sink.
type NotifyAction struct {
	ID       string `json:"id"`                 // of the sink
	Status   string `json:"status"`             // "delivered", "retrying" or "dropped"
	Messages int    `json:"messages,omitempty"` // how many
}

// NotifyMessages is the body of a command for some messages of a sink.
type NotifyMessages struct {
	Messages []string `json:"messages,omitempty"` // their ids; none means all
}

// MaintenanceReply answers the routes of maintenance.
type MaintenanceReply struct {
	Maintenance []Maintenance `json:"maintenance"`     // all that lasts, by the ids of the providers
	Ended       []string      `json:"ended,omitempty"` // the providers whose maintenance the request ended
}

// MaintenanceRequest announces maintenance.
type MaintenanceRequest struct {
	ProviderID []string `json:"provider_id"`
	For        string   `json:"for,omitempty"`   // how long, such as "2h"
	Until      string   `json:"until,omitempty"` // or until when, in RFC 3339
}
