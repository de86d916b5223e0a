package provider

import "math"

// A Busy is the requests that a provider has, according to itself.
type Busy struct {
	Running int  `json:"running"`           // requests that it works on
	Waiting *int `json:"waiting,omitempty"` // requests that it took, and does not work on yet; absent if it does not report them
	Slots   int  `json:"slots,omitempty"`   // how many requests it works on at a time; absent if it does not report that
}

// mostBusy is the largest number of requests or slots in a row.
const mostBusy = 1 << 20

// BoundBusy is a number of requests that a provider reports, within bounds.
func BoundBusy(reported float64) int {
	if math.IsNaN(reported) {
		return 0
	}
	return int(math.Round(min(max(reported, 0), mostBusy)))
}

// Queue is how many requests wait; 0 if that is not known.
func (b *Busy) Queue() int {
	if b.Waiting == nil {
		return 0
	}
	return *b.Waiting
}

// Equal reports whether two are the same.
func (b Busy) Equal(other Busy) bool {
	return b.Running == other.Running && b.Slots == other.Slots && b.Queue() == other.Queue() &&
		(b.Waiting == nil) == (other.Waiting == nil)
}
