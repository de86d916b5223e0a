// Package bus is what a fleet needs of the store that its members share: leases, transactions,
// and a watch from a revision. daemon/fleet/etcd has it from etcd; another store could follow.
// Keys are below the prefix of the fleet, without it: "claim/0123…".
package bus

import (
	"context"
	"errors"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// ErrTaken: another machine is a member by that name.
var ErrTaken = errors.New(provider.FleetNameTaken)

// A Bus opens sessions.
type Bus interface {
	// Open makes a lease, and creates the member's own key with it in one transaction
	// ([ErrTaken] if that key exists). If the last session ended because the store was gone,
	// and its lease and own key, with the same value, are still there, it takes them up instead:
	// all keys with that lease stay. Then it reads all keys as of one revision, and follows
	// them from there. It ends with ctx, which does not end the session.
	Open(ctx context.Context, own string, value []byte) (Session, error)
	// Close closes the connections.
	Close() error
}

// A Session is a membership, from its lease to the lease's end. All methods can be called
// concurrently. Methods that write end with their context; an error of theirs does not
// end the session.
type Session interface {
	// Batches has all keys first, and then what changes, in the order of revisions. It is
	// closed when the session is over: its lease is gone or was not answered in time, or the
	// watch cannot be continued. It is buffered in bounded memory; a reader that lags too far
	// behind gets another batch with all keys.
	Batches() <-chan Batch
	// Reread asks for another batch with all keys. It does not wait.
	Reread()
	// Err is why the session is over; nil: it is not, or Close ended it.
	Err() error
	// Answered is when the lease's last keepalive that was answered was sent.
	Answered() time.Time

	// Claim creates a key with the session's lease. The revision is that of its creation,
	// which fences; won is false if the key existed, whoever made it.
	Claim(ctx context.Context, key string, value []byte) (revision int64, won bool, err error)
	// Put writes a key. It is kept forever, if leased is false.
	Put(ctx context.Context, key string, value []byte, leased bool) (revision int64, err error)
	// PutFenced writes a key with the session's lease, if the claim was created at that
	// revision.
	PutFenced(ctx context.Context, claim string, epoch int64, key string, value []byte) (revision int64, held bool, err error)
	// PutFor writes a key that is deleted after ttl, in whole seconds, whatever happens to
	// the session. It does not make the time shorter that a key by that name has left.
	PutFor(ctx context.Context, key string, value []byte, ttl time.Duration) (revision int64, err error)
	// Delete removes keys in one transaction.
	Delete(ctx context.Context, keys ...string) error
	// DeleteFenced is Delete, if the claim was created at that revision.
	DeleteFenced(ctx context.Context, claim string, epoch int64, keys ...string) (held bool, err error)
	// Left is how long a lease lasts from now on; 0: it is gone.
	Left(ctx context.Context, lease int64) (time.Duration, error)
	// Close gives up the lease and with it the keys that have it.
	Close(ctx context.Context) error
}

// A Batch is a set of changes of one revision or of several in succession.
type Batch struct {
	All      bool // Changes has every key, and what is not in it does not exist
	Revision int64
	Changes  []Change
}

// A Change is a key that was written or deleted.
type Change struct {
	Key     string
	Value   []byte // nil: deleted
	Created int64  // revisions
	Written int64
	Lease   int64 // 0: none
}
