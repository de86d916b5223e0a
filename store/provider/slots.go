package provider

// A SlotsReply is how the slots of a provider stand.
type SlotsReply struct {
	ProviderID string `json:"provider_id"`
	Total      int    `json:"total"`            // may hold one at a time
	GapMS      int64  `json:"gap_ms,omitempty"` // at least this time is between two starts
	Used       int    `json:"used"`             // can be more than total after a reload
	Free       int    `json:"free"`             // 0 while the provider cannot be used
	Waiting    int    `json:"waiting"`
	Closed     string `json:"closed,omitempty"` // why the provider cannot be used
	RetryAt    *Time  `json:"retry_at,omitempty"`

	// The status has neither of these.
	Holders []SlotHolder `json:"holders,omitempty"`
	Waiters []SlotWaiter `json:"waiters,omitempty"` // in the order of their turns
}

// A SlotHolder is a caller that holds a slot.
type SlotHolder struct {
	Slot  int    `json:"slot"` // from 1
	By    string `json:"by"`   // the user: "uid 1000"
	Since Time   `json:"since"`
}

// A SlotWaiter is a user with callers that wait.
type SlotWaiter struct {
	By      string `json:"by"`
	Waiting int    `json:"waiting"`
}

// A Slot is the first line of the reply to the one who got it.
type Slot struct {
	ProviderID string `json:"provider_id"`
	Slot       int    `json:"slot"` // from 1
	Total      int    `json:"total"`
	WaitedMS   int64  `json:"waited_ms"`
}
