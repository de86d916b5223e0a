package control

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/socket"
)

// Each user reports once a second, however many there are; those who have no name here
// are one user, and so are those of whom nothing is told.
func TestPace(t *testing.T) {
	var p pace
	now := time.Now()
	ada, bob := socket.Peer{Known: true, UID: 1000}, socket.Peer{Known: true, UID: 1001}
	for i, tt := range []struct {
		who   socket.Peer
		after time.Duration
		want  bool
	}{
		{ada, 0, true}, {ada, 0, false}, {bob, 0, true}, {ada, 999 * time.Millisecond, false}, {ada, time.Second, true}, {ada, 1999 * time.Millisecond, false},
		{socket.Peer{Untold: true}, 0, true}, {socket.Peer{}, 0, false},
		{socket.Peer{Known: true, AnyUser: true, UID: 65_534, PID: 1}, 0, true}, {socket.Peer{Known: true, AnyUser: true, UID: 65_534, PID: 2}, 0, false},
	} {
		if got := p.take(tt.who, now.Add(tt.after)); got != tt.want {
			t.Errorf("%d: %t, want %t", i, got, tt.want)
		}
	}
	for uid := range uint32(10_000) {
		later := now.Add(time.Hour + time.Duration(uid)*time.Second/100)
		if !p.take(socket.Peer{Known: true, UID: uid}, later) || len(p.last) > keptReporters+100+1 {
			t.Fatalf("uid %d, %d are kept", uid, len(p.last))
		}
	}
}

// A user namespace has 65,536 users. However many of them report in one second, each
// costs the same.
func TestPace_ManyUsersInASecond(t *testing.T) {
	took := func(users uint32) time.Duration {
		least := time.Hour
		for range 3 {
			var p pace
			now := time.Now()
			began := time.Now()
			for uid := range users {
				p.take(socket.Peer{Known: true, UID: uid}, now.Add(time.Duration(uid)*time.Microsecond))
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	if few, many := took(1_000), took(20_000); many > 100*few {
		t.Errorf("%v for 1,000 users, and %v for twenty times as many", few, many)
	}
}
