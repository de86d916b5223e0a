package sink

import "github.com/providerd/providerd/store/provider"

// An urgency is how soon a person should look.
type urgency int

const (
	low    urgency = iota // trouble is over, or there is none
	normal                // trouble that may pass by itself
	high                  // somebody must act
)

func (u urgency) String() string { return [...]string{"low", "normal", "high"}[u] }

func urgencyOf(n *provider.Notice) urgency {
	switch n.Type {
	case provider.NoticeOpened:
		return urgencyOfTrouble(n.State, n.Reason)
	case provider.NoticeDigest:
		most := low
		for i := range n.Worst {
			if item := &n.Worst[i]; item.Type == provider.NoticeOpened {
				most = max(most, urgencyOfTrouble(item.State, item.Reason))
			}
		}
		return most
	}
	return low
}

func urgencyOfTrouble(state provider.State, reason provider.Reason) urgency {
	if provider.TopicOf(state, reason) == provider.TopicAttention {
		return high
	}
	return normal
}
