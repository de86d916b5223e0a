package book

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A note is one thing to tell about one subject.
type note struct {
	kind provider.NoticeType
	id   string
	sub  *Subject
	e    *Episode
	at   time.Time // when to tell it
}

// Write turns what is due into messages, and returns when to call it again; zero: when something
// happens. wrote is whether the book must be saved.
func (b *Book) Write(s *Settings, now time.Time) (next time.Time, wrote bool) {
	soonest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	b.bound(s, now)
	var due []note
	for _, id := range b.troubled() {
		sub := b.Subjects[id]
		sub.settle(id, s, now)
		if e := sub.Episode; e != nil && !e.Until.IsZero() {
			soonest(sub.calm(now))
		}
		for _, n := range b.notes(id, sub, s, now) {
			if n.at.After(now) {
				soonest(n.at)
				break // later ones about the subject wait for it
			}
			due = append(due, n)
		}
	}
	if len(due) == 0 || b.offline() {
		return next, false
	}
	slices.SortStableFunc(due, func(x, y note) int { return x.at.Compare(y.at) })
	if quiet := s.quiet(now); quiet.After(now) {
		soonest(quiet)
		return next, false
	}
	if at := later(b.gathered(due, s), b.allowed(s, now)); at.After(now) {
		soonest(at)
		return next, false
	}
	b.tell(due, s, now)
	for _, n := range due { // the rest about each subject
		if n.sub.Episode == nil && len(n.sub.Over) == 0 {
			continue
		}
		for _, more := range b.notes(n.id, n.sub, s, now) {
			soonest(more.at)
		}
	}
	return next, true
}

// troubled returns the subjects with an episode, in a fixed order.
func (b *Book) troubled() []string {
	var ids []string
	for id, sub := range b.Subjects {
		if sub.Episode != nil || len(sub.Over) > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// offline reports whether this machine has no network, as far as the book knows.
func (b *Book) offline() bool {
	host := b.Subjects[provider.HostID]
	return host != nil && host.Episode != nil && host.Episode.Until.IsZero()
}

// notes returns what is to be told about a subject, in order. It drops what is no news to this
// sink.
func (b *Book) notes(id string, sub *Subject, s *Settings, now time.Time) []note {
	sub.Over = slices.DeleteFunc(sub.Over, func(e *Episode) bool {
		return e.Told != "" && (!s.on(provider.TopicUsable) || b.amend(id, e) && !e.Heard)
	})
	var notes []note
	add := func(n note) {
		if len(notes) > 0 {
			n.at = later(n.at, notes[len(notes)-1].at)
		}
		notes = append(notes, n)
	}
	for _, e := range sub.Over {
		switch {
		case e.Told == "":
			add(note{provider.NoticeMerged, id, sub, e, later(e.Until, s.maintained(id, now))})
		case b.isPending(e): // whether people hear of its beginning is not known yet
			return notes
		default:
			add(note{provider.NoticeClosed, id, sub, e, e.Until})
		}
	}
	if e := sub.Episode; e != nil && e.Until.IsZero() && !e.Due.IsZero() && e.news(s) && !b.isPending(e) {
		add(note{provider.NoticeOpened, id, sub, e, later(e.Due, s.maintained(id, now))})
	}
	return notes
}

// amend adds the end of an episode to the message about its beginning if that message is dead.
// People were not told of the beginning, so they need no message about the end. If the message is
// revived, it says both.
func (b *Book) amend(id string, e *Episode) bool {
	m, i := b.message(e.Told)
	if i < 0 || m.Dead == "" {
		return false
	}
	if m.Type == provider.NoticeOpened {
		m.Type, m.Until = provider.NoticeMerged, provider.Time{Time: e.Until}
		m.ID = messageID(m.ID, "over")
		return true
	}
	if !slices.Contains(m.Opened, id) {
		return true
	}
	b.rename(m, messageID(m.ID, id, "over"))
	m.Opened = slices.DeleteFunc(slices.Clone(m.Opened), func(other string) bool { return other == id })
	m.Merged = append(slices.Clone(m.Merged), id)
	for k := range m.Worst {
		if item := &m.Worst[k]; item.Provider == id && item.Type == provider.NoticeOpened {
			item.Type, item.Until = provider.NoticeMerged, provider.Time{Time: e.Until}
		}
	}
	return true
}

// isPending reports whether the message about the beginning of an episode waits as part of a
// digest. What follows about the subject waits for its outcome.
func (b *Book) isPending(e *Episode) bool {
	m, i := b.message(e.Told)
	return i >= 0 && m.Dead == "" && len(m.About) > 1
}

// supersede removes the message about the beginning of an episode if it still waits, because the
// note says more. If that is the end and people have heard nothing yet, the note says both, under
// a new id: the beginning may have arrived although its 2xx was lost.
func (b *Book) supersede(n *note) {
	m, i := b.message(n.e.Told)
	switch {
	case n.kind == provider.NoticeMerged || n.e.Told == "":
	case i < 0:
		n.e.Heard = true
	case len(m.About) == 1 && (m.Dead == "" || n.kind == provider.NoticeOpened):
		b.Outbox = slices.Delete(b.Outbox, i, i+1)
		if n.kind == provider.NoticeClosed && !n.e.Heard {
			n.kind = provider.NoticeMerged
		}
	}
}

// rename gives a message a new id, because its content has changed.
func (b *Book) rename(m *Message, id string) {
	for _, about := range m.About {
		if sub := b.Subjects[about]; sub != nil {
			for _, e := range append(slices.Clone(sub.Over), sub.Episode) {
				if e != nil && e.Told == m.ID {
					e.Told = id
				}
			}
		}
	}
	m.ID = id
}

// gathered is when to stop waiting for more news. After a digest, the next one waits until the
// storm is over.
func (b *Book) gathered(due []note, s *Settings) time.Time {
	first, last := due[0].at, due[len(due)-1].at
	if !b.Regained.IsZero() { // what it missed is probed now
		first = later(first, b.Regained)
	}
	if until := b.Digest.Add(stormLasts); !b.Digest.IsZero() && first.Before(until) {
		at := later(last.Add(3*max(s.Gather, time.Second)), b.Digest.Add(s.Gather))
		if at.After(until) {
			at = until
		}
		return later(at, first.Add(s.Gather))
	}
	return first.Add(s.Gather)
}

// allowed is when the sink may get one more message.
func (b *Book) allowed(s *Settings, now time.Time) time.Time {
	b.Made = slices.DeleteFunc(b.Made, func(t time.Time) bool { return now.Sub(t) >= time.Hour || t.After(now) })
	if most := max(1, s.Most); len(b.Made) >= most {
		return b.Made[len(b.Made)-most].Add(time.Hour)
	}
	return time.Time{}
}

// tell puts the notes into the outbox, as single messages or as a digest.
func (b *Book) tell(due []note, s *Settings, now time.Time) {
	left := max(1, s.Most) - len(b.Made)
	together := len(due) > many || len(due) > 1 && len(due) >= left ||
		len(due) > 1 && !b.Regained.IsZero() && now.Sub(b.Regained) < flapWindow
	for i := range due {
		b.supersede(&due[i])
	}
	if together {
		b.post(b.digest(due, s), about(due), now)
		b.Digest = now
	}
	for i := range due {
		if !together {
			b.post(due[i].single(s), []string{due[i].id}, now)
		}
		b.told(&due[i], b.Outbox[len(b.Outbox)-1].ID)
	}
}

// told notes which message tells people of an episode.
func (b *Book) told(n *note, id string) {
	if n.kind == provider.NoticeOpened {
		n.e.Told, n.e.ToldAs, n.e.Due = id, n.e.Topic, time.Time{}
		return
	}
	n.sub.Over = slices.DeleteFunc(n.sub.Over, func(e *Episode) bool { return e == n.e })
}

func (b *Book) post(notice provider.Notice, about []string, now time.Time) {
	notice.Lost, b.Lost = b.Lost, 0
	b.Outbox = append(b.Outbox, &Message{Notice: notice, About: about, Made: now})
	b.Made = append(b.Made, now)
}

// single is a message about one subject.
func (n *note) single(s *Settings) provider.Notice {
	item := n.item()
	notice := provider.Notice{
		ID: n.messageID(s), Type: n.kind, Provider: n.id, State: item.State, Reason: item.Reason, Detail: item.Detail,
		Hint: item.Hint, Since: item.Since, Until: item.Until, Host: s.Host,
	}
	if n.e.Times > 1 {
		notice.Times = n.e.Times
	}
	return notice
}

// item is the note in a digest.
func (n *note) item() provider.NoticeItem {
	e := n.e
	item := provider.NoticeItem{
		Type: n.kind, Provider: n.id, State: e.State, Reason: e.Reason, Detail: e.Detail, Hint: e.Hint,
		Since: provider.Time{Time: e.Since},
	}
	if n.kind == provider.NoticeOpened {
		return item
	}
	item.Until = provider.Time{Time: e.Until}
	item.Hint = ""
	if n.kind == provider.NoticeClosed {
		item.State, item.Reason, item.Detail = e.After.State, e.After.Reason, e.After.Detail
	}
	return item
}

// worst is how many providers a digest describes.
const worst = 10

func (b *Book) digest(due []note, s *Settings) provider.Notice {
	notice := provider.Notice{Type: provider.NoticeDigest, Host: s.Host}
	var key strings.Builder
	for i := range due {
		n := &due[i]
		key.WriteString(n.messageID(s))
		switch n.kind {
		case provider.NoticeOpened:
			notice.Opened = append(notice.Opened, n.id)
		case provider.NoticeClosed:
			notice.Closed = append(notice.Closed, n.id)
		default:
			notice.Merged = append(notice.Merged, n.id)
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(due), func(x, y note) int {
		return cmp.Or(cmp.Compare(y.weight(), x.weight()), x.e.Since.Compare(y.e.Since))
	})
	for i := range sorted[:min(worst, len(sorted))] {
		notice.Worst = append(notice.Worst, sorted[i].item())
	}
	notice.More = len(sorted) - len(notice.Worst)
	if len(due) > 0 {
		notice.Since = provider.Time{Time: due[0].e.Since}
	}
	notice.ID = messageID(s.Sink, "digest", key.String())
	return notice
}

// weight is how bad it is. Trouble in progress is worse than trouble that is over.
func (n *note) weight() int {
	if n.kind == provider.NoticeOpened {
		return 10 + rank(n.e.Topic)
	}
	return rank(n.e.Topic)
}

func about(notes []note) []string {
	ids := []string{}
	for _, n := range notes {
		ids = append(ids, n.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// messageID depends only on what the message says, so that a message made again after a crash has
// the same id.
func (n *note) messageID(s *Settings) string {
	return messageID(s.Sink, string(n.kind), n.id, fmt.Sprint(n.e.Seq, " ", n.e.Since.UnixMilli(), " ", n.e.Times, " ", n.e.After.Seq, " ", n.e.Topic))
}

func messageID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "msg_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}
