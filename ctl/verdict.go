package ctl

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// verdictLines are how a probe's evidence was judged, as names and values: the resulting
// state, the rule that decided, and what is next.
func verdictLines(v *provider.Verdict, now time.Time) [][2]string {
	lines := [][2]string{{"verdict", provider.Printable(verdictName(v))}}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, provider.Printable(value)})
		}
	}
	if v.Saw != "" {
		add("  rule", rule(v.Saw))
	}
	story := storyOf(v.Doubt, v.Detail)
	if v.Reason != v.Saw && story.doubt == nil { // more than this probe decided
		add("  then", rule(v.Reason))
	}
	add("  weight", weight(v, story.doubt))
	add("  detail", story.String())
	hint, _, _ := strings.Cut(v.Hint, "; see: providerctl diagnose ") // this is it
	add("  hint", hint)
	if !v.NextCheck.IsZero() {
		add("next", in(v.NextCheck, now))
	}
	return lines
}

func verdictName(v *provider.Verdict) string { return fmt.Sprintf("%s (%s)", v.State, v.Reason) }

// rule is a reason, after what was seen for it.
func rule(r provider.Reason) string { return provider.Seen(r) + " → " + string(r) }

// weight is how much this one probe counts, and what doubt it leaves.
func weight(v *provider.Verdict, doubt *provider.Doubt) string {
	stays := ""
	if doubt != nil {
		stays = ", so it stays " + verdictName(v)
	}
	switch {
	case doubt != nil && doubt.Healthy():
		return "good, but not often enough in a row" + stays
	case doubt != nil && doubt.Of == 0:
		return "this machine may be to blame, so other providers are being probed" + stays
	case v.Definite:
		return "definite: one such probe is enough"
	case v.Fall == 0: // the row's own verdict, without a probe
		return ""
	}
	return fmt.Sprintf("doubtful: %d of %d in a row%s", min(v.Doubts, v.Fall), v.Fall, stays) // more of them decide nothing
}
