package logging

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
)

// logged is what a logger writes for what is said to it.
func logged(json, journal bool, say func(hclog.Logger)) []string {
	var out strings.Builder
	l := New(&out, json, journal, hclog.Trace)
	say(l)
	say(l.Named("part"))
	l.writer.Close(time.Minute)
	return strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// Each record is one line, whatever is in it, and in the journal says how grave it is.
func TestLog_OneLineARecord(t *testing.T) {
	const forged = "\n<3>2026-11-22T00:00:00.000Z [ERROR] providerd: forged\r\x1b[2K\u2028\u0085\u009b2J\u202e\u2066\u200e\u061c\x7f\U000e0041x\xff"
	say := func(l hclog.Logger) {
		l.Error("refused", "error", errors.New("c.toml:3: bad \"kind\"\n   3 | kind = x\n     | ^"), "path", "c.toml")
		l.Warn("message"+forged, "key", "value"+forged, "k"+forged, 1)
		l.Info("text", "v", forged, "list", []string{forged}, "any", map[string]string{"a": forged})
		l.Debug("detail", "n", 1)
		l.Trace("trace")
	}
	for _, tt := range []struct {
		name          string
		json, journal bool
		begins        [5]string
	}{
		{"Terminal", false, false, [5]string{`\d{4}-\d\d-\d\dT[0-9:.]+\S+ \[ERROR\] `, `\d{4}-\S+ \[WARN\]  `, `\d{4}-\S+ \[INFO\]  `, `\d{4}-\S+ \[DEBUG\] `, `\d{4}-\S+ \[TRACE\] `}},
		{"Journal", false, true, [5]string{`<3>\[ERROR\] `, `<4>\[WARN\]  `, `<6>\[INFO\]  `, `<7>\[DEBUG\] `, `<7>\[TRACE\] `}},
		{"JSON", true, false, [5]string{`\{`, `\{`, `\{`, `\{`, `\{`}},
		{"JSONInTheJournal", true, true, [5]string{`<3>\{`, `<4>\{`, `<6>\{`, `<7>\{`, `<7>\{`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := logged(tt.json, tt.journal, say)
			if len(lines) != 10 {
				t.Fatalf("%d lines for 10 records:\n%s", len(lines), strings.Join(lines, ""))
			}
			for i, line := range lines {
				if !regexp.MustCompile(`^` + tt.begins[i%5]).MatchString(line) {
					t.Errorf("line %d begins otherwise: %q", i, line)
				}
				if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r != utf8.RuneError && !provider.Shows(r) }) {
					t.Errorf("line %d moves the cursor, or turns the text: %q", i, line)
				}
				if !tt.json {
					continue
				}
				if text := regexp.MustCompile(`^<\d>`).ReplaceAllString(line, ""); !json.Valid([]byte(text)) {
					t.Errorf("line %d is not JSON: %q", i, line)
				}
			}
		})
	}
	t.Run("StaysReadable", func(t *testing.T) {
		got := logged(false, true, say)[0]
		want := `<3>[ERROR] providerd: refused: error="c.toml:3: bad \"kind\"\n   3 | kind = x\n     | ^" path=c.toml` + "\n"
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// What is said of lines that were dropped is a line as others are.
func TestLog_DroppedLinesHaveAPriority(t *testing.T) {
	b := &blocked{open: make(chan struct{})}
	l := New(b, false, true, hclog.Info)
	for range queuedLines + 10 {
		l.Info("early")
	}
	close(b.open)
	for l.Info("late"); len(l.writer.queue) > 0; {
		<-time.After(time.Millisecond)
	}
	l.Info("last")
	l.writer.Close(time.Minute)
	for _, line := range strings.Split(strings.TrimSuffix(b.got.String(), "\n"), "\n") {
		if !strings.HasPrefix(line, "<6>[INFO]  ") && !strings.HasPrefix(line, "<4>(") {
			t.Fatalf("%q", line)
		}
	}
	if !strings.Contains(b.got.String(), "log lines were dropped") {
		t.Error("none was dropped")
	}
}
