package ctl

import (
	"cmp"
	"slices"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// The least busy provider comes first, and one that does not report its load comes after
// those that have room, and before those that may have none.
func TestIdleness(t *testing.T) {
	waiting := func(n int) *int { return &n }
	order := []struct {
		busy *provider.Busy
		text string
	}{
		{&provider.Busy{}, "idle"},
		{&provider.Busy{Running: 1, Slots: 4}, "1 of 4 running"},
		{&provider.Busy{Running: 1, Slots: 2}, "1 of 2 running"},
		{&provider.Busy{Running: 3, Slots: 4, Waiting: waiting(0)}, "3 of 4 running"},
		{nil, "load not known"},
		{&provider.Busy{Running: 1, Waiting: waiting(0)}, "1 running"},
		{&provider.Busy{Running: 200}, "200 running"},
		{&provider.Busy{Running: 4, Slots: 4}, "4 of 4 running"},
		{&provider.Busy{Running: 4, Slots: 4, Waiting: waiting(2)}, "4 of 4 running, 2 waiting"},
		{&provider.Busy{Running: 1, Waiting: waiting(2)}, "1 running, 2 waiting"},
		{&provider.Busy{Waiting: waiting(7)}, "0 running, 7 waiting"},
		{&provider.Busy{Running: 1 << 20, Slots: 1, Waiting: waiting(1 << 20)}, "1048576 of 1 running, 1048576 waiting"},
	}
	for i, a := range order {
		if got := busyText(a.busy); got != a.text {
			t.Errorf("%+v is %q, want %q", a.busy, got, a.text)
		}
		for j, b := range order {
			if got, want := idlenessOf(a.busy).compare(idlenessOf(b.busy)), cmp.Compare(i, j); got != want {
				t.Errorf("%s against %s: %d, want %d", a.text, b.text, got, want)
			}
		}
	}
	if idlenessOf(&provider.Busy{Slots: 8}) != idlenessOf(&provider.Busy{Waiting: waiting(0)}) {
		t.Error("one idle provider is more idle than another")
	}
}

// With --prefer idle a usable provider is taken by its load, and a local one before a cloud
// one of the same load.
func TestSift_PrefersIdle(t *testing.T) {
	row := func(id string, kind provider.Type, busy *provider.Busy) provider.Status {
		return provider.Status{ID: id, Type: kind, State: provider.StateRunning, Reason: provider.OK, Busy: busy}
	}
	reply := &provider.StatusReply{Providers: []provider.Status{
		row("full", provider.Local, &provider.Busy{Running: 2, Slots: 2}),
		row("cloud", provider.Cloud, nil),
		row("silent", provider.Local, nil),
		row("room", provider.Local, &provider.Busy{Running: 1, Slots: 2}),
		row("idle", provider.Local, &provider.Busy{}),
	}}
	q := newPickQuery()
	q.prefer.value = preferIdle
	usable, _ := sift(reply, q)
	var ids []string
	for _, c := range usable {
		ids = append(ids, c.ID)
	}
	if want := []string{"idle", "room", "silent", "cloud", "full"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
}
