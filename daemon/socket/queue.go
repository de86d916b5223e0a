package socket

import (
	"net"
	"sync"
	"time"
)

const (
	// stormGone is how many connections, of those accepted in one second, are closed
	// already when a process that connects and closes as fast as it can is at work. Half
	// of all must be.
	stormGone = 256
	// stormBacklog is how many connections may wait meanwhile. Each waits for all before
	// it, and where the queue is always full a longer one lets in nobody more.
	stormBacklog = 64
	// calmAfter is how long after the last sign of a storm it is over.
	calmAfter = time.Second
)

// A queue watches who waits to be accepted.
//
// The kernel keeps one queue for all users. Whoever connects and closes faster than we
// accept fills it with connections that are closed already, and a new client waits for
// every one of them: with a queue of 4,096, a third of a second and more, whatever the
// server does. In a storm the queue is therefore made short. In peace it is as long as
// the system allows, since a program may well ask a thousand times at once.
type queue struct {
	resize func(backlog int) // of the socket; nil: it belongs to whoever passed it on

	mu   sync.Mutex
	rate rate
	calm *time.Timer // makes it long again; nil: it is
}

// A rate counts the connections of the second under way.
type rate struct {
	began      time.Time
	seen, gone int
}

// saw takes in one more connection, and reports whether there is a storm.
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

// saw takes in a connection that was accepted, and reports whether there is a storm.
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

// close leaves nothing behind.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.resize = nil
	if q.calm != nil {
		q.calm.Stop()
		q.calm = nil
	}
}

// Accept returns the next connection whose other end is still there. One that has sent
// something and gone is served too, but for a storm; the others cost no more than this.
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
