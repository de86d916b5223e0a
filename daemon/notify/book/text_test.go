package book

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A book survives being saved, and a thousand open episodes are a few pages of the database.
func TestBook_Text(t *testing.T) {
	for _, n := range []int{1, 1000} {
		s := defaults()
		var rows []Row
		for i := range n {
			rows = append(rows, Row{ID: fmt.Sprint("server-", i), State: provider.StateRunning, Reason: provider.OK})
		}
		b := Begin(1, rows, s)
		for _, row := range rows {
			b.Observe(&provider.Event{
				Seq: b.Cursor + 1, ID: row.ID, To: provider.StateStopped, Reason: provider.ConnectionRefused,
				Detail: "dial tcp 127.0.0.1:11434: connect: connection refused", Time: provider.Time{Time: noon},
			}, "start it: systemctl start ollama", s)
		}
		b.Write(s, at(1, 0))
		text, err := b.Text()
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 32<<10 {
			t.Errorf("%d episodes: %d bytes", n, len(text))
		}
		read, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		was, _ := json.Marshal(b)
		is, _ := json.Marshal(read)
		if string(was) != string(is) {
			t.Errorf("%d episodes: not what was saved", n)
		}
		if m := read.Outbox[0]; m.Saved != m.ID {
			t.Error("what was read is not known to be saved")
		}
		if _, err := Parse(text[:len(text)/2]); err == nil {
			t.Error("half of it was accepted")
		}
	}
}
