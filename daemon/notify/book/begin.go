package book

import (
	"fmt"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Row is the current state of a provider.
type Row struct {
	ID     string
	State  provider.State
	Reason provider.Reason
	Detail string
	Hint   string
}

// Begin returns the book of a new sink. It is not told of the past.
func Begin(cursor uint64, rows []Row, s *Settings) *Book {
	b := &Book{Cursor: cursor}
	b.Watch(rows, s, time.Time{})
	return b
}

// Watch updates the book's subjects to the rows, one for each configured provider. A new one
// that is not usable is not news. If people were told of trouble of one that is gone, that
// episode ends. Watch reports whether the book must be saved.
func (b *Book) Watch(rows []Row, s *Settings, now time.Time) (changed bool) {
	watched := map[string]bool{provider.HostID: true}
	for _, row := range rows {
		if !s.wants(row.ID) {
			continue
		}
		watched[row.ID] = true
		if b.Subjects[row.ID] == nil {
			b.subject(row.ID).Never = !serves(provider.TopicOf(row.State, row.Reason))
			changed = true
		}
	}
	for id, sub := range b.Subjects {
		if watched[id] {
			continue
		}
		changed = true
		if sub.Episode != nil {
			sub.Episode.end(Ending{State: provider.StateUnknown, Reason: provider.NotChecked, Detail: provider.NotWatched}, now)
			if sub.Episode.Told != "" {
				sub.Over = append(sub.Over, sub.Episode)
			}
			sub.Episode = nil
		}
		if len(sub.Over) == 0 {
			delete(b.Subjects, id)
		}
	}
	return changed
}

// Resync updates the book from the rows, because that many events are lost.
func (b *Book) Resync(rows []Row, lost uint64, s *Settings, now time.Time) {
	b.Lost += lost
	if b.offline() { // the event that it is online again may be gone, and is the last one for long
		b.look(Row{ID: provider.HostID, State: provider.StateRunning, Reason: provider.OK}, b.Cursor, s, now)
	}
	b.Watch(rows, s, now)
	b.Unsettled = false
	if b.Forgotten {
		b.remind(rows, s, now)
		return
	}
	for _, row := range rows {
		if s.wants(row.ID) {
			b.look(row, b.Cursor, s, now)
		}
	}
}

// Restored ends all episodes after the database was restored from a backup, because events
// since the backup are unknown. Resync follows once all providers have been probed.
func (b *Book) Restored(cursor uint64, s *Settings, now time.Time) {
	b.Cursor, b.Outbox, b.Unsettled = cursor, nil, true
	for _, sub := range b.Subjects {
		sub.Over, sub.Changes = nil, nil
		if sub.Episode != nil && sub.Episode.Told != "" {
			sub.Episode.end(Ending{State: provider.StateUnknown, Reason: provider.NotChecked, Detail: "the database was restored from a backup", Seq: cursor}, now)
			sub.Over = []*Episode{sub.Episode}
		}
		sub.Episode = nil
	}
}

// Forget notes that what the sink was told is lost. Once all providers have been probed, Resync
// sends a reminder.
func (b *Book) Forget() { b.Unsettled, b.Forgotten = true, true }

// forgotten is what a reminder says besides the trouble there is.
const (
	forgotten     = "what was told before is lost with the database"
	forgottenRest = forgotten + "; all other providers have no trouble"
)

// remind makes one message about all current trouble, even if there is none: trouble that
// people were told of before may be over.
func (b *Book) remind(rows []Row, s *Settings, now time.Time) {
	b.Forgotten = false
	var due []note
	for _, row := range rows {
		if !s.wants(row.ID) {
			continue
		}
		sub := b.subject(row.ID)
		sub.Never = false
		b.look(row, b.Cursor, s, now)
		if e := sub.Episode; e != nil && e.Until.IsZero() && e.Told == "" && e.news(s) {
			due = append(due, note{provider.NoticeOpened, row.ID, sub, e, now})
		}
	}
	notice := b.digest(due, s)
	notice.Detail = forgotten
	if len(due) > 0 {
		notice.Detail = forgottenRest
	}
	if notice.Since.IsZero() {
		notice.Since = provider.Time{Time: now}
	}
	notice.ID = messageID(notice.ID, "forgotten", fmt.Sprint(b.Cursor, " ", now.UnixMilli()))
	b.post(notice, about(due), now)
	for i := range due {
		b.told(&due[i], notice.ID)
	}
}
