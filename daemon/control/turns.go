package control

import (
	"context"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

// The most replies about the history of all providers at a time. Such a reply is large and
// takes long, and its reader can be slow.
const (
	turnsInAll   = 6
	turnsPerUser = 2
	turnWait     = 5 * time.Second
)

// turns bounds how many such replies are in progress, in all and for each user. The zero value
// is ready to use.
type turns struct {
	mu     sync.Mutex
	inAll  int
	byUser map[uint32]int
	ended  chan struct{} // closed when one ends; nil if nobody waits
}

// take waits for a turn, for turnWait at most. The caller ends the turn.
func (t *turns) take(ctx context.Context, peer socket.Peer) (end func(), wrong *provider.Error) {
	enough := time.NewTimer(turnWait)
	defer enough.Stop()
	for {
		ended := t.tryTake(peer.UID)
		if ended == nil {
			return sync.OnceFunc(func() { t.end(peer.UID) }), nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil, tooManyHistories()
		case <-enough.C:
			return nil, tooManyHistories()
		}
	}
}

// tryTake takes a turn. If none is free, it returns a channel that is closed when one ends.
func (t *turns) tryTake(user uint32) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inAll >= turnsInAll || t.byUser[user] >= turnsPerUser {
		if t.ended == nil {
			t.ended = make(chan struct{})
		}
		return t.ended
	}
	if t.byUser == nil {
		t.byUser = make(map[uint32]int)
	}
	t.inAll++
	t.byUser[user]++
	return nil
}

func (t *turns) end(user uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inAll--
	if t.byUser[user]--; t.byUser[user] == 0 {
		delete(t.byUser, user)
	}
	if t.ended != nil {
		close(t.ended)
		t.ended = nil
	}
}

func tooManyHistories() *provider.Error {
	return provider.Errorf(provider.TooMany, "ask again in a moment, or for one provider: GET /api/providers/{id}/history",
		"too many replies about the history of all providers are in progress")
}
