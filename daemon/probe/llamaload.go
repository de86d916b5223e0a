package probe

import (
	"context"
	"encoding/json"
	"time"

	"github.com/providerd/providerd/daemon/probe/term"
	"github.com/providerd/providerd/daemon/probe/transport"
)

// How long llama.cpp may show no sign of work. While it generates, each step yields a token
// for every request. While it reads a prompt, a step is a batch of up to 2048 tokens, which
// takes minutes for a large model on a CPU.
const (
	llamaGenerates = 30 * time.Second
	llamaReads     = 5 * time.Minute
)

// llamaMetrics are those that /metrics shows with --metrics (tools/server/server-task.cpp,
// to_metrics). They do not show whether a prompt is being read.
var llamaMetrics = engineMetrics{
	says:   "/health says ok",
	prefix: "llamacpp",
	roles: map[string]role{
		"requests_processing":      running,
		"requests_deferred":        waiting,
		"prompt_tokens":            moves,
		"prompt_seconds":           moves,
		"tokens_predicted":         moves,
		"tokens_predicted_seconds": moves,
		"n_decode":                 moves,
		"kv_cache_tokens":          moves, // before July 2025
	},
	patience: llamaReads,
}

// A llamaWatch checks whether llama.cpp makes progress with its requests, in /slots or, if
// that is switched off, in /metrics. Either request wakes a server that sleeps, and keeps
// one awake that would fall asleep (tools/server/README.md, Sleeping on idle;
// server-queue.cpp, task_resets_idle_timer). Nothing says whether sleep is configured. So
// /props is asked first, which does not wake it. A server that may sleep is asked half as
// often each time that it is idle. One that was found asleep is never asked again, and one
// that stayed awake for llamaInsomnia is asked like any other.
type llamaWatch struct {
	stall  stall
	sleeps bool          // it was found asleep
	wakes  bool          // it had nothing to do for llamaInsomnia, and did not sleep
	gap    time.Duration // until it is asked again
	next   time.Time
	tasks  uint64 // a digest of its last tasks, finished or not
}

// llamaInsomnia is how long an idle server must stay awake to count as one that does not
// sleep. People who want it to sleep set a shorter time.
const llamaInsomnia = 4 * time.Hour

func watchLlama() watcher { return new(llamaWatch).look }

func (w *llamaWatch) look(ctx context.Context, r *run) (finding, bool) {
	mayAsk, maySleep := w.mayAsk(ctx, r)
	if !mayAsk {
		w.stall = stall{}
		return finding{}, false
	}
	now := r.p.now()
	if !w.stall.working && now.Before(w.next) {
		return finding{}, false
	}
	tasks := w.tasks
	l, told := w.load(ctx, r)
	switch {
	case l.isWork():
		w.gap = 0
	case told && w.gap >= llamaInsomnia && tasks == w.tasks:
		w.wakes = true
	case maySleep && !w.wakes || !told:
		w.gap = max(time.Minute, 2*w.gap)
		w.next = now.Add(w.gap)
	}
	if !told {
		return w.stall.finding(), w.stall.working
	}
	r.busy = l.busy()
	return w.stall.take(l, now, "/health says ok"), l.isWork()
}

// mayAsk reports whether the server can be asked for its load, and whether it may sleep. A
// router would load a model to answer. A server without /props, or without is_sleeping
// there, is too old to sleep.
func (w *llamaWatch) mayAsk(ctx context.Context, r *run) (may, maySleep bool) {
	a := r.learnedOrAsk(ctx, "/props")
	if a.err != nil {
		return false, false
	}
	if a.status == 404 || a.status == 501 {
		return !w.sleeps, false
	}
	var props struct {
		Role     string `json:"role"`
		Sleeping *bool  `json:"is_sleeping"`
	}
	if a.status != 200 || !a.whole() || !a.decode(&props) || props.Role == "router" {
		return false, false
	}
	maySleep = props.Sleeping != nil
	w.sleeps = w.sleeps || maySleep && *props.Sleeping
	return !w.sleeps, maySleep
}

// load is the server's load; told is whether it reported one. Before September 2026 it did
// not answer while it computed a step. One that hangs never answers.
func (w *llamaWatch) load(ctx context.Context, r *run) (l load, told bool) {
	limit := term.New(ctx, untilEnd(ctx)/2)
	defer limit.Cancel()
	a := r.get(limit, "/slots")
	r.exchanges[len(r.exchanges)-1].BodyStart = "" // it may show prompts
	switch {
	case a.err != nil && transport.IsTimeout(a.err) && r.caller.Err() == nil && r.reached():
		return load{running: 1, progress: w.stall.progress, patience: llamaReads}, true
	case a.err != nil || !a.whole():
		return l, false
	case a.status == 200:
		l, w.tasks, told = llamaSlots(a)
		return l, told
	}
	a = r.get(limit, "/metrics")
	if a.err != nil || a.status != 200 || !a.whole() {
		return l, false
	}
	if l = llamaMetrics.read(a.body); l.running == 0 {
		l.patience = llamaGenerates
	}
	return l, true
}

// untilEnd is how much time is left.
func untilEnd(ctx context.Context) time.Duration {
	end, _ := ctx.Deadline()
	return time.Until(end)
}

// llamaSlot is a row of /slots.
type llamaSlot struct {
	ID      int             `json:"id"`
	Works   bool            `json:"is_processing"`
	State   int             `json:"state"` // before November 2024: 0 is idle
	Task    int             `json:"id_task"`
	Read    int             `json:"n_prompt_tokens_processed"`
	Decoded int             `json:"n_decoded"` // before 2024
	Next    json.RawMessage `json:"next_token"`
}

// llamaSlots reads /slots.
func llamaSlots(a *answer) (l load, tasks uint64, ok bool) {
	l.patience = llamaGenerates
	_, ok = rows(a.body, func(s *llamaSlot) {
		l.slots++
		tasks += digest([]byte{byte(s.ID), byte(s.ID >> 8)}, float64(s.Task))
		if !s.Works && s.State == 0 {
			return
		}
		l.running++
		decoded := s.decoded()
		if decoded == 0 {
			l.patience = llamaReads
		}
		for i, n := range [...]int{s.Task, s.Read, decoded} {
			l.progress += digest([]byte{byte(s.ID), byte(s.ID >> 8), byte(i)}, float64(n))
		}
	})
	l.told = ok && l.slots > 0
	return l, tasks, ok
}

// decoded is how many tokens were generated. next_token was an object before September
// 2025, and is a list of one.
func (s *llamaSlot) decoded() int {
	type token struct {
		Decoded int `json:"n_decoded"`
	}
	var one token
	var list []token
	if json.Unmarshal(s.Next, &list) == nil && len(list) > 0 {
		one = list[0]
	} else {
		_ = json.Unmarshal(s.Next, &one) // if it is neither, nothing is read
	}
	return max(one.Decoded, s.Decoded)
}
