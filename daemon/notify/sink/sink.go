// Package sink delivers notices to people, with a file for each way. What they are told is
// decided by package book.
package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Sink delivers notices. Deliver returns nil once the receiver has accepted the notice, a
// [*RefusedError] if it never will, a [*LaterError] if it names a time for the next try, and
// any other error if the notice is to be tried again. No error contains a secret.
//
// Deliver returns soon after its context ends. It is safe for concurrent use: a test message does
// not wait for others.
type Sink interface {
	Deliver(ctx context.Context, n *provider.Notice) error
}

// A RefusedError means that trying again is pointless until somebody changes something.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// A LaterError means that the receiver wants no messages before At.
type LaterError struct {
	At  time.Time
	Why string
}

func (e *LaterError) Error() string {
	return fmt.Sprintf("%s; not before %s", e.Why, e.At.UTC().Format(time.RFC3339))
}
