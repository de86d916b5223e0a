package judge

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

var update = flag.Bool("update", false, "write testdata/meetings.txt again")

// witnesses say one thing each; together they say one thing of every sort.
var witnesses = []message{
	sees(provider.OK), sees(provider.Hung), sees(provider.Unauthorized), sees(provider.ProbeFailed),
	probes(provider.RateLimited, MachineFine, 10*time.Second), refuses(MachineFine), slow, lists(),
	probes(provider.ConnectTimeout, MachineInDoubt, 0), probes(provider.ConnectTimeout, MachineOut, 0), losing,
	reports(provider.Hung, 0), reports(provider.Unauthorized, 0), reports(provider.RateLimited, 10*time.Second),
	claims(provider.RateLimited), claims(provider.Hung),
	tells(provider.OK), tells(provider.Hung), tells(provider.RateLimited), holding(10 * time.Second), unsaying,
	vendorSays(provider.ImpactMajor), vendorSays(provider.ImpactNone),
	pausing(true), pausing(false), restarting, rekeying, moving, overtaken(provider.Hung),
}

// The table has every meeting of two witnesses: the row after both, and after one more good
// probe. Review the changes after go test ./daemon/judge -run Meetings -update.
func TestMeetings(t *testing.T) {
	var b strings.Builder
	b.WriteString(meetingsHead)
	for _, first := range witnesses {
		fmt.Fprintf(&b, "\n%s\n", first.name)
		for _, second := range witnesses {
			l := newLife(t, 2, 2).play(sees(provider.OK), sees(provider.OK))
			told := len(l.events)
			l.play(first, second)
			now := sight(&l.r.Status)
			l.play(sees(provider.OK))
			line := fmt.Sprintf("  %-40s %-53s %-41s %s", second.name, now, sight(&l.r.Status), eventNames(l.events[told:]))
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	const file = "testdata/meetings.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}

const meetingsHead = `What becomes of a provider that is RUNNING (rise 2, fall 2, its feed followed) when two
witnesses speak, 3 s after one another: what the row says then, and after one more good
probe; and the events of all three. "?" is a doubt, "(report)" and the like whose word
the row is, "until" a retry_at that still runs. Paused, no probe lands.
`

// sight is a row in a few words.
func sight(st *provider.Status) string {
	text := fmt.Sprintf("%s %s", st.State, st.Reason)
	if st.Doubt != nil {
		text += fmt.Sprintf("? %s %d/%d", st.Doubt.Saw, st.Doubt.Count, st.Doubt.Of)
	}
	if st.Source != provider.FromProbe {
		text += fmt.Sprintf(" (%s)", st.Source)
	}
	if !st.RetryAt.IsZero() {
		text += " until"
	}
	return text
}

func eventNames(events []provider.Event) string {
	var names []string
	for _, e := range events {
		names = append(names, fmt.Sprintf("%s>%s %s", e.From, e.To, e.Reason))
	}
	return strings.Join(names, ", ")
}
