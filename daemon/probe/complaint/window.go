package complaint

import (
	"math"
	"net/http"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// Anthropic tells subscribers, such as the users of Claude Code, about windows of time and not
// about counts: anthropic-ratelimit-unified-5h-utilization is the share of the window's budget
// that is spent, and can exceed 1; -5h-status is allowed, allowed_warning or rejected; -5h-reset
// is in seconds since 1970. There are other windows (7d), and without one, -status and -reset
// are those of the window that decides. -overage-status says whether more can be bought, and is
// no window. None of that is documented; answers are in anthropics/claude-code issue 12829 and
// anomalyco/opencode issue 49653. In a row, such a window is counted in percent.
const (
	windows        = "unified"
	notAWindow     = windows + "_overage"
	windowRejected = "rejected"
)

// isWindow reports whether a limit of that name is a window of time.
func isWindow(name string) bool {
	return name != notAWindow && (name == windows || strings.HasPrefix(name, windows+"_"))
}

// setSpent takes the share of a window that is spent.
func (b *budget) setSpent(value string) {
	const absurd = 100 // times the budget
	spent, ok := number(strings.Trim(value, " \t\""))
	if !ok || spent < 0 || spent > absurd {
		return
	}
	percent := 100 * max(0, 1-spent)
	b.remaining = smaller(b.remaining, provider.Quantity(math.Round(100*percent)/100))
	b.whole = provider.Quantity(100)
}

// setVerdict takes whether a window lets requests pass.
func (b *budget) setVerdict(value string) {
	if strings.TrimSpace(value) == windowRejected {
		b.remaining = provider.Quantity(0)
	}
}

// leftOfWindow is "0" if a window has nothing left, "1" if it has something left, and empty if
// the headers do not say. remaining is the name of the header that would say it of a count.
func leftOfWindow(h http.Header, remaining string) string {
	of, isWindows := strings.CutSuffix(remaining, "remaining")
	if !isWindows || !strings.Contains(of, "-"+windows+"-") {
		return ""
	}
	b := budget{}
	verdict := h.Get(of + "status")
	b.setVerdict(verdict)
	b.setSpent(h.Get(of + "utilization"))
	switch {
	case b.remaining != nil && *b.remaining == 0:
		return "0"
	case b.remaining != nil || verdict != "":
		return "1"
	}
	return ""
}
