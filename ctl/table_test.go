package ctl_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

var update = flag.Bool("update", false, "rewrite the expected tables in testdata")

func sampleReply(t testing.TB) provider.StatusReply {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "status.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reply provider.StatusReply
	if err := json.Unmarshal(text, &reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestWriteTable_Golden(t *testing.T) {
	for name, opts := range map[string]ctl.TableOptions{
		"unlimited":      {},
		"120":            {Width: 120, Summary: true},
		"80":             {Width: 80},
		"60":             {Width: 60},
		"40":             {Width: 40},
		"20":             {Width: 20},
		"80-color":       {Width: 80, Color: true},
		"wide-unlimited": {Wide: true},
		"wide-200":       {Wide: true, Width: 200, Summary: true},
		"wide-80":        {Wide: true, Width: 80},
		"wide-20":        {Wide: true, Width: 20},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := ctl.WriteTable(&b, sampleReply(t), opts); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "table-"+name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Error(diff)
			}
			checkWidth(t, b.String(), opts)
		})
	}
}

// checkWidth checks that no line is wider than the screen or ends in a space.
func checkWidth(t *testing.T, table string, opts ctl.TableOptions) {
	t.Helper()
	if opts.Color || opts.Width <= 0 {
		return
	}
	for line := range strings.SplitSeq(table, "\n") {
		if width := uniseg.StringWidth(line); width > opts.Width {
			t.Errorf("%d columns where %d fit: %q", width, opts.Width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("a line ends in spaces: %q", line)
		}
	}
}

func TestWriteTable_LimitsHints(t *testing.T) {
	reply := provider.StatusReply{}
	for range 40 {
		reply.Providers = append(reply.Providers, provider.Status{ID: "a", State: provider.StateStopped, Hint: "start it"})
	}
	var b strings.Builder
	if err := ctl.WriteTable(&b, reply, ctl.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "start it"); n != 12 || !strings.Contains(b.String(), "28 more: providerctl status -o wide") {
		t.Errorf("%d hints:\n%s", n, b.String())
	}
}

func TestWriteTable_AgeWithoutTheServersOwn(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	reply := provider.StatusReply{Providers: []provider.Status{{ID: "a", CheckedAt: provider.Time{Time: now.Add(-3 * time.Minute)}}}}
	var b strings.Builder
	if err := ctl.WriteTable(&b, reply, ctl.TableOptions{Now: now}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "3m") {
		t.Error(b.String())
	}
}

// brokenPipe is a stdout whose reader is gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestWriteTable_ReturnsTheWritersError(t *testing.T) {
	for _, opts := range []ctl.TableOptions{{}, {Wide: true}, {Wide: true, Width: 10}} {
		if err := ctl.WriteTable(brokenPipe{}, sampleReply(t), opts); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

// FuzzWriteTable: whatever a provider sends, the table stays within the screen and has only
// visible characters.
func FuzzWriteTable(f *testing.F) {
	f.Add("ollama", "STOPPED", "connection_refused", "refused", "start it: ollama serve", 80, false)
	f.Add("日本語の名前", "RUNNING", "ok", "e\u0301e\u0301", "👩‍👩‍👧‍👦 wait", 20, true)
	f.Add("a\x1b[2Jb", "\x9b31m", "\u202e", "\xff\xfe\n\r\t", strings.Repeat("long ", 50), 7, false)
	f.Add("", "", "", "", "", 1, true)
	f.Fuzz(func(t *testing.T, id, state, reason, detail, hint string, width int, wide bool) {
		row := provider.Status{
			ID: id, State: provider.State(state), Reason: provider.Reason(reason), Detail: detail, Hint: hint,
			LatencyMS: float64(len(detail)), Stale: len(hint)%2 == 0, Version: detail, Kind: id, Endpoint: hint,
		}
		opts := ctl.TableOptions{Width: width % 200, Wide: wide, Summary: true, Height: len(id) % 9, Strict: len(state)%2 == 0}
		var b strings.Builder
		if err := ctl.WriteTable(&b, provider.StatusReply{Providers: []provider.Status{row, row}}, opts); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && r != '\u200c' && r != '\u200d' && !unicode.IsPrint(r) {
				t.Fatalf("%U in %q", r, b.String())
			}
		}
		if opts.Width >= 20 { // narrower than a title or a wide character, some lines must run over
			for line := range strings.SplitSeq(b.String(), "\n") {
				if w := uniseg.StringWidth(line); w > opts.Width {
					t.Fatalf("%d columns where %d fit: %q", w, opts.Width, line)
				}
			}
		}
	})
}
