package ctl

import (
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// What programs that use the full screen share with the commands. All of it is pure.

// CardParts is what is known of one provider. A part is nil if it has not been read, or cannot
// be.
type CardParts struct {
	Row         *provider.Status
	Diagnostics *provider.Diagnostics
	Models      *provider.ModelsReply
	History     *provider.HistoryReply
	Maintenance []provider.Maintenance // of any provider
	Slots       *provider.SlotsReply
}

// CardLines shows everything about one provider: its card, the layers of its last probe,
// its models, and its last changes. Opts.Color is ignored.
func CardLines(p CardParts, opts TableOptions) (lines []Line) {
	opts.Color, opts.maintained = false, p.Maintenance
	if p.Slots != nil {
		opts.slots = []provider.SlotsReply{*p.Slots}
	}
	section := func(title, text string) {
		if text = strings.Trim(text, "\n"); text == "" {
			return
		}
		if title != "" {
			lines = append(lines, Line{}, Line{Pieces: []Piece{{title, Bold}}})
		}
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, Line{Pieces: []Piece{{line, Plain}}})
		}
	}
	if p.Row != nil {
		section("", card(p.Row, opts))
		paintCard(lines, p.Row.State)
	}
	if p.Diagnostics != nil {
		section("Last probe", evidence(p.Diagnostics, opts))
	}
	if p.Models != nil && len(p.Models.Models) > 0 {
		section(plural(len(p.Models.Models), "model"), modelsText(p.Models, opts.Width))
	}
	if p.History != nil {
		section("History", changes(p.History, opts))
	}
	for i := range lines {
		lines[i].Pieces = FitPieces(lines[i].Pieces, opts.Width, opts.ASCII)
	}
	return lines
}

// paintCard colours the bullet of a card, and its word for the state.
func paintCard(lines []Line, state provider.State) {
	const bullet = "●"
	if len(lines) == 0 || len(lines[0].Pieces) == 0 {
		return
	}
	if rest, found := strings.CutPrefix(lines[0].Pieces[0].Text, bullet); found {
		lines[0].Pieces = []Piece{{bullet, toneOf(state)}, {rest, Bold}}
	}
	for i := range lines {
		before, after, found := strings.Cut(lines[i].Pieces[0].Text, "State: "+string(state))
		if found && strings.TrimSpace(before) == "" {
			lines[i].Pieces = []Piece{{before + "State: ", Plain}, {string(state), toneOf(state)}, {after, Plain}}
			return
		}
	}
}

func modelsText(m *provider.ModelsReply, width int) string {
	t := modelTable{}
	for _, model := range m.Models {
		t.rows = append(t.rows, listed{m.ID, model})
	}
	var b strings.Builder
	_ = t.write(&b, width) // a builder never fails
	return b.String()
}

// SumUp is one line about all rows: how many can be used, and what the others need. If the rows
// are a selection, outOf is how many there are in all; otherwise it is 0.
func SumUp(rows []provider.Status, outOf int, now time.Time) string {
	c := censusOf(rows, now)
	return c.line(outOf, now)
}

// CanUse reports whether a provider can be used now, even if not as well as it should be.
func CanUse(s *provider.Status, now time.Time) bool {
	return standingOf(s, now) >= impaired
}

// Advice is what to do next about a provider, empty if there is nothing to do.
func Advice(s *provider.Status, now time.Time) string {
	if s.Hint == "" || s.Reason.Healthy() {
		return ""
	}
	return provider.Printable(hintOf(s, now))
}

// Detail is what a provider's row reports in addition to its reason.
func Detail(s *provider.Status) string {
	return provider.Printable(storyOf(s.Doubt, s.Detail).String())
}

// Changed reports whether a row shows anything new about its provider, apart from numbers and
// ages.
func Changed(was, is *provider.Status) bool {
	return sights([]provider.Status{*was})[0] != sights([]provider.Status{*is})[0]
}

// Wrap breaks a text into lines of at most width columns.
func Wrap(text string, width int) []string { return wrap(text, width) }

// MayReturn reports whether a call failed because the daemon is away, and may return.
func MayReturn(err error) bool { return passes(err) }

// ASCII spells a text without a layout in ASCII.
func ASCII(text string) string { return talkASCII(text) }
