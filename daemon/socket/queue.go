package socket

import (
	"net"
	"sync"
	"time"
)

const (
	// stormGone is how many connections accepted within one second must already be closed,
	// and at least half of all, to count as a storm: a process that connects and closes as
	// fast as it can.
	stormGone = 256
	// stormBacklog is how many connections may wait during a storm. Each waits for all
	// before it, and if the queue is always full a longer one admits nobody more.
	stormBacklog = 64
	// calmAfter is how long after its last sign a storm is over.
	calmAfter = time.Second
)

// A queue watches the connections that wait to be accepted.
//
// The kernel keeps one queue for all users. A process that connects and closes faster than
// we accept fills it with closed connections, and a new client waits for every one of them:
// with a queue of 4,096, a third of a second or more, whatever the server does. During a
// storm the queue is therefore short. Otherwise it is as long as the system allows, since a
// program may well make a thousand requests at once.
type queue struct {
	resize func(backlog int) // of the socket; nil if the socket is inherited

	mu   sync.Mutex
	rate rate
	calm *time.Timer // makes it long again; nil: it is long
}

// A rate counts the connections of the current second.
type rate struct {
	began      time.Time
	seen, gone int
}

// saw counts one more connection, and reports whether there is a storm.
func (t *rate) saw(gone bool, now time.Time) bool {
	if now.Sub(t.began) > time.Second {
		*t = rate{began: now}
	}
	t.seen++
	if gone {
		t.gone++
	}
	return t.gone >= stormGone && 2*t.gone >= t.seen
}

// saw counts an accepted connection, and reports whether there is a storm.
func (q *queue) saw(gone bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch storm := q.rate.saw(gone, time.Now()); {
	case q.resize == nil:
		return storm
	case !storm:
	case q.calm == nil:
		q.resize(stormBacklog)
		q.calm = time.AfterFunc(calmAfter, q.lengthen)
	case q.rate.gone%stormGone == 0: // not each time
		q.calm.Reset(calmAfter)
	}
	return q.calm != nil
}

// lengthen ends a storm.
func (q *queue) lengthen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.calm != nil {
		q.calm = nil
		q.resize(longestBacklog)
	}
}

// close stops the timer.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.resize = nil
	if q.calm != nil {
		q.calm.Stop()
		q.calm = nil
	}
}

// Accept returns the next connection whose other end is still open. A connection that has
// sent something before it closed is served too, except during a storm.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		gone, mute := departed(nc)
		if storm := l.queue.saw(gone); !gone || !mute && !storm {
			return nc, nil
		}
		nc.Close()
	}
}
