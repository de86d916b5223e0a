package schedule

import (
	"container/heap"
	"time"
)

// queue is a heap of the entries that wait for their time, the soonest first.
// Each entry knows its index, -1 if it is in no queue.
type queue []queued

// A queued entry is stored with its due time: the heap is sorted without access to the
// entries, which are scattered in memory.
type queued struct {
	due   time.Time
	entry *entry
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].entry.index, q[j].entry.index = int32(i), int32(j)
}

// Push implements [heap.Interface].
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = int32(len(*q))
	*q = append(*q, queued{e.due, e})
}

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last].entry
	(*q)[last] = queued{}
	*q = (*q)[:last]
	e.index = -1
	return e
}

// put adds the entry, or moves it after its due time has changed.
func (q *queue) put(e *entry) {
	if e.index < 0 {
		heap.Push(q, e)
		return
	}
	(*q)[e.index].due = e.due
	heap.Fix(q, int(e.index))
}

// drop removes the entry, if it is in the queue.
func (q *queue) drop(e *entry) {
	if e.index >= 0 {
		heap.Remove(q, int(e.index))
	}
}
