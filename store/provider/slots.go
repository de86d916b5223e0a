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
}

// A Slot is the first line of the reply to the one who got it.
type Slot struct {
	ProviderID string `json:"provider_id"`
	Slot       int    `json:"slot"` // from 1
	Total      int    `json:"total"`
	WaitedMS   int64  `json:"waited_ms"`
}
