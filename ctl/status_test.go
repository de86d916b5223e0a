package ctl_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// fleet is a status of providers with every standing, with a field that this version does
// not know.
const fleet = `{"ts":"2026-01-02T03:04:05.000Z","new":{"a":[1]},"providers":[
{"id":"ollama","kind":"ollama","type":"local","state":"RUNNING","reason":"ok","latency_ms":9,"age_ms":4000,"since":"2026-01-02T03:00:00.000Z","new":1},
{"id":"gpu-1","kind":"vllm","type":"local","state":"RUNNING","reason":"ok","latency_ms":3,"age_ms":2000,"since":"2026-01-01T03:00:00.000Z"},
{"id":"gpu-2","kind":"vllm","type":"local","state":"STOPPED","reason":"connection_refused","hint":"start it","age_ms":3000,"since":"2026-01-02T03:04:00.000Z"},
{"id":"openai","kind":"openai","type":"cloud","state":"ERROR","reason":"unauthorized","hint":"replace it","age_ms":1000,"since":"2026-01-02T01:00:00.000Z","new":2},
{"id":"groq","kind":"groq","type":"cloud","state":"DEGRADED","reason":"rate_limited","hint":"see retry_at","retry_at":"2026-01-02T03:31:00.000Z","age_ms":5000},
{"id":"slow","kind":"http","type":"generic","state":"DEGRADED","reason":"slow","hint":"look","latency_ms":800,"age_ms":500},
{"id":"new","kind":"http","type":"generic","state":"UNKNOWN","reason":"not_checked"}],"seq":7}
`

func idsIn(t *testing.T, out string) []string {
	t.Helper()
	var reply struct{ Providers []struct{ ID string } }
	if err := json.Unmarshal([]byte(out), &reply); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ids := []string{}
	for _, row := range reply.Providers {
		ids = append(ids, row.ID)
	}
	return ids
}

// Every format shows the same rows in the same order.
func TestStatus_Selects(t *testing.T) {
	const all = "GET /api/providers/status"
	for args, want := range map[string]string{
		"":                                  "ollama gpu-1 gpu-2 openai groq slow new",
		"gpu*":                              "gpu-1 gpu-2",
		"* --problems":                      "gpu-2 openai groq slow new",
		"new gpu* ollama":                   "ollama gpu-1 gpu-2 new", // in the configuration's order
		"--state RUNNING":                   "ollama gpu-1",
		"--state running,Degraded":          "ollama gpu-1 groq slow",
		"--state READY --state STOPPED":     "ollama gpu-1 gpu-2",
		"--kind vllm":                       "gpu-1 gpu-2",
		"--kind vllm,openai":                "gpu-1 gpu-2 openai",
		"--type cloud":                      "openai groq",
		"--type cloud,generic --problems":   "openai groq slow new",
		"--kind vllm --state STOPPED":       "gpu-2",
		"--kind vllm --state ERROR":         "",
		"--kind nosuch":                     "",
		"*s* --type generic":                "slow",
		"--problems":                        "gpu-2 openai groq slow new",
		"--sort id":                         "gpu-1 gpu-2 groq new ollama openai slow",
		"--sort state":                      "openai gpu-2 groq new slow ollama gpu-1", // the most urgent first
		"--sort latency":                    "gpu-1 ollama slow gpu-2 openai groq new",
		"--sort age":                        "slow openai gpu-1 gpu-2 ollama groq new",
		"--sort since":                      "gpu-2 ollama openai gpu-1 groq slow new",
		"--sort kind":                       "groq slow new ollama openai gpu-1 gpu-2",
		"--sort reason":                     "gpu-2 new ollama gpu-1 groq slow openai",
		"--sort latency --state RUNNING g*": "gpu-1",
	} {
		t.Run(args, func(t *testing.T) {
			ids := strings.Fields(want)
			d := startDaemon(t, map[string][]reply{all: {ok(fleet)}})
			line := func(format string) []string {
				return append([]string{"status", "-o", format}, strings.Fields(args)...)
			}
			got := d.run(t, line("json")...)
			if diff := cmp.Diff(ids, idsIn(t, got.out)); diff != "" || got.code != 0 {
				t.Errorf("JSON: exit code %d: %s", got.code, diff)
			}
			if !strings.Contains(got.out, `"new":{"a":[1]}`) || strings.Contains(got.out, `"new":1`) != slices.Contains(ids, "ollama") ||
				strings.Contains(got.out, `"new":2`) != slices.Contains(ids, "openai") || !strings.Contains(got.out, `"seq":7`) {
				t.Errorf("what it does not know is not with its row: %s", got.out)
			}
			if got := d.run(t, line("name")...); got.out != strings.Join(append(ids, ""), "\n") {
				t.Errorf("names: %q", got.out)
			}
			var inYAML []string
			for _, line := range strings.Split(d.run(t, line("yaml")...).out, "\n") {
				if id, ok := strings.CutPrefix(line, "  - id: "); ok {
					inYAML = append(inYAML, id)
				}
			}
			if !slices.Equal(inYAML, ids) {
				t.Errorf("YAML: %q", inYAML)
			}
			for _, format := range []string{"table", "wide"} {
				var inTable []string
				for line := range strings.Lines(d.run(t, append(line(format), "--no-headers")...).out) {
					inTable = append(inTable, strings.Fields(line)[0])
				}
				if !slices.Equal(inTable, ids) {
					t.Errorf("%s: %q", format, inTable)
				}
			}
		})
	}
}

// If no row is left, it says so, and what to ask for instead; that is not an error.
func TestStatus_NothingIsSelected(t *testing.T) {
	for args, says := range map[string]string{
		"--kind olama":                "providerctl: no provider has --kind olama\nproviderctl: hint: did you mean: --kind ollama\n",
		"--kind nim":                  "no provider has --kind nim\nproviderctl: hint: there are: groq, http, ollama, openai, vllm\n",
		"--state STARTING":            "no provider has --state STARTING\nproviderctl: hint: there are: DEGRADED, ERROR, RUNNING, STOPPED, UNKNOWN\n",
		"--kind vllm --state ERROR":   "none of the 7 providers matches\n",
		"--kind ollama --problems":    "none of the 7 providers matches\n",
		"ollama gpu-1 --problems":     "no problem: 2 providers, all usable\n",
		"ollam? --problems --type=x,": "", // no such type
	} {
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status":                                      {ok(fleet)},
			"GET /api/providers/status?provider_id=ollama&provider_id=gpu-1": {ok(`{"ts":"2026-01-02T03:04:05.000Z","providers":[{"id":"ollama","state":"RUNNING"},{"id":"gpu-1","state":"RUNNING"}]}`)},
		})
		if says == "" {
			d.run(t, strings.Fields("status "+args)...).want(t, 2, "", "hint: use one of: local, cloud, generic")
			continue
		}
		got := d.run(t, strings.Fields("status "+args)...)
		if got.want(t, 0, "", says); got.out != "" {
			t.Errorf("%s: %q", args, got.out)
		}
		if got := d.run(t, strings.Fields("status -o json "+args)...); len(idsIn(t, got.out)) != 0 || got.code != 0 {
			t.Errorf("%s: %+v", args, got)
		}
	}
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {ok(fleet)}})
	d.run(t, "status", "tpu*").want(t, 5, "", "providerctl: no provider matches \"tpu*\"\nproviderctl: hint: configured: ollama, gpu-1, gpu-2, openai, groq, slow, new\n")
	d.run(t, "status", "ollama", "gpu[").want(t, 2, "", "close the bracket")
	d.run(t, "status", "gpu*", "opnai").want(t, 5, "", "no such provider: \"opnai\"\nproviderctl: hint: did you mean: openai\n")
}

// Only wanted providers are probed first, as far as the configuration decides that.
func TestStatus_ProbesOnlyWhatIsSelected(t *testing.T) {
	const all, wait = "GET /api/providers/status", "&wait=15s"
	for args, asks := range map[string]string{
		"gpu*":                   all + "?max_age=0s&provider_id=gpu-1&provider_id=gpu-2" + wait,
		"--kind vllm":            all + "?max_age=0s&provider_id=gpu-1&provider_id=gpu-2" + wait,
		"--type cloud":           all + "?max_age=0s&provider_id=openai&provider_id=groq" + wait,
		"*o* --kind groq":        all + "?max_age=0s&provider_id=groq" + wait,
		"--kind nosuch":          all, // nothing is probed
		"--state RUNNING ollama": all + "?max_age=0s&provider_id=ollama" + wait,
	} {
		d := startDaemon(t, map[string][]reply{all: {ok(fleet)}, asks: {ok(fleet)}})
		if got := d.run(t, append(strings.Fields("status --max-age 0s"), strings.Fields(args)...)...); got.code != 0 {
			t.Errorf("%s: %+v", args, got)
		}
		if asked := d.requests(); asked[len(asked)-1] != asks {
			t.Errorf("%s: asks %q, want %s", args, asked, asks)
		}
	}
}

// The summary counts every provider once, by what using it takes.
func TestWriteTable_Summary(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
	up := provider.Status{ID: "up", State: provider.StateRunning, Reason: provider.OK}
	keyless := provider.Status{ID: "k", State: provider.StateStopped, Reason: provider.NoCredentials}
	unasked := keyless
	unasked.Unasked = true
	limited := func(until time.Duration) provider.Status {
		return provider.Status{ID: "l", State: provider.StateDegraded, Reason: provider.RateLimited, RetryAt: at(until)}
	}
	for want, rows := range map[string][]provider.Status{
		"7 providers: 5 usable, 1 needs you, 1 limited until 12:31": {up, up, keyless, up, limited(31 * time.Minute), up, up},
		"2 providers, all usable":                                   {up, {State: provider.StateDegraded, Reason: provider.Slow}},
		"2 providers, all need you":                                 {keyless, keyless},
		"2 providers, all without a key":                            {unasked, unasked},
		"3 providers: 1 usable, 1 needs you, 1 without a key":       {unasked, up, keyless}, // only one was asked for
		"2 providers, all limited, the first until 12:05":           {limited(31 * time.Minute), limited(5 * time.Minute)},
		"2 providers: 1 usable, 1 limited until 12:01:07":           {up, limited(67 * time.Second)},
		"2 providers: 1 usable, 1 limited until 12:06":              {up, limited(5*time.Minute + time.Second)}, // not before it is over
		"2 providers: 1 usable, 1 limited until Jan 3 12:00":        {up, limited(24 * time.Hour)},
		"2 providers: 1 usable, 1 limited until 2027-01-02 12:00":   {up, limited(365 * 24 * time.Hour)},
		"7 providers: 2 failing, 1 stopped, 1 starting, 2 not known, 1 paused": {
			{State: provider.StateDegraded, Reason: provider.Hung}, {State: provider.StateError, Reason: provider.DNSFailure},
			{State: provider.StateStopped, Reason: provider.ConnectionRefused}, {State: provider.StateStarting, Reason: provider.Loading},
			{State: provider.StateUnknown, Reason: provider.NotChecked}, {State: provider.StateRunning, Reason: provider.OK, Stale: true},
			{State: provider.StateRunning, Reason: provider.Paused, Paused: true},
		},
		"": {up},
	} {
		var b strings.Builder
		if err := ctl.WriteTable(&b, provider.StatusReply{Providers: rows}, ctl.TableOptions{Summary: true, Now: now}); err != nil {
			t.Fatal(err)
		}
		_, got, _ := strings.Cut(b.String(), "\n\n")
		if got != strings.TrimPrefix(want+"\n", "\n") {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	var b strings.Builder
	if err := ctl.WriteTable(&b, provider.StatusReply{Providers: []provider.Status{keyless}}, ctl.TableOptions{Summary: true, Now: now, OutOf: 7}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\n\n1 of 7 providers: 1 needs you\n") {
		t.Error(b.String())
	}
}

// A limit's hint names the time when it ends, and no time if none is known or it has passed.
func TestWriteTable_HintForALimit(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for want, until := range map[string]time.Time{
		"l  send nothing until 12:05\n": now.Add(5 * time.Minute),
		"l  send fewer requests\n":      {},
	} {
		s := provider.Status{ID: "l", State: provider.StateDegraded, Reason: provider.RateLimited, RetryAt: provider.Time{Time: until}}
		s.Hint = strings.ReplaceAll(provider.RateLimited.Meaning().Hint, "{id}", "l")
		passed := s
		if until.IsZero() {
			passed.RetryAt.Time = now.Add(-time.Second)
		}
		for _, s := range []provider.Status{s, passed} {
			var b strings.Builder
			if err := ctl.WriteTable(&b, provider.StatusReply{Providers: []provider.Status{s}}, ctl.TableOptions{Now: now}); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(b.String(), "\n\n"+want) {
				t.Errorf("%q, want %q", b.String(), want)
			}
		}
	}
}

// many is a fleet in which those with these numbers do not run.
func many(n int, stopped ...int) provider.StatusReply {
	reply := provider.StatusReply{TS: provider.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	for i := range n {
		s := provider.Status{ID: fmt.Sprintf("p%02d", i), State: provider.StateRunning, Reason: provider.OK}
		if slices.Contains(stopped, i) {
			s.State, s.Reason, s.Hint = provider.StateStopped, provider.ConnectionRefused, "start it"
		}
		reply.Providers = append(reply.Providers, s)
	}
	return reply
}

func TestWriteTable_PutsWhatNeedsSomebodyFirstWhereNotAllFits(t *testing.T) {
	shown := func(reply provider.StatusReply, opts ctl.TableOptions) (ids []string, text string) {
		var b strings.Builder
		opts.Summary, opts.Width = true, 80
		if err := ctl.WriteTable(&b, reply, opts); err != nil {
			t.Fatal(err)
		}
		rows, _, _ := strings.Cut(b.String(), "\n\n")
		for line := range strings.SplitSeq(rows, "\n") {
			if word, _, _ := strings.Cut(line, " "); strings.HasPrefix(word, "p") {
				ids = append(ids, word)
			}
		}
		return ids, b.String()
	}
	for name, tc := range map[string]struct {
		reply provider.StatusReply
		opts  ctl.TableOptions
		want  string
		says  string
		lines int
	}{
		"All":               {many(5, 3), ctl.TableOptions{}, "p00 p01 p02 p03 p04", "5 providers: 4 usable, 1 stopped", 10},
		"AllThatJustFit":    {many(5, 3), ctl.TableOptions{Height: 10}, "p00 p01 p02 p03 p04", "", 10},
		"OneTooMany":        {many(6, 3, 5), ctl.TableOptions{Height: 11}, "p03 p05 p00 p01", "\n… 2 more, usable: providerctl status | less\n", 11},
		"Many":              {many(60, 50, 7), ctl.TableOptions{Height: 14}, "p07 p50 p00 p01 p02 p03 p04", "\n… 53 more, usable: ", 14},
		"MoreThanFitNeedIt": {many(60, 1, 2, 3, 4, 5, 6, 7, 8, 9), ctl.TableOptions{Height: 8}, "p01 p02 p03 p04 p05 p06 p07 p08 p09", "\n… 51 more, usable: ", 23},
		"NoneNeedsIt":       {many(60), ctl.TableOptions{Height: 10}, "p00 p01 p02 p03 p04 p05", "\n… 54 more, usable: ", 10},
		"NotForOneRow":      {many(6, 1, 2, 3, 4, 5), ctl.TableOptions{Height: 5}, "p01 p02 p03 p04 p05 p00", "", 15},
		"Strict":            {many(60, 1, 2, 3, 4, 5, 6, 7, 8, 9), ctl.TableOptions{Height: 8, Strict: true}, "p01 p02 p03 p04", "\n… 56 more\n", 8},
		"StrictAndLow":      {many(60, 1, 2), ctl.TableOptions{Height: 6, Strict: true}, "p01 p02", "\n… 58 more, usable\n", 6},
		"StrictWithAHint":   {many(60, 1, 2), ctl.TableOptions{Height: 8, Strict: true}, "p01 p02", "usable\n\np01  start it\n\n60 providers", 8},
		"StrictOfThose":     {many(4, 0, 1, 2, 3), ctl.TableOptions{Height: 9, Strict: true}, "p00 p01 p02 p03", "\n\np00  start it\n\n4 providers", 9},
		"StrictWithHints":   {many(60, 1, 2), ctl.TableOptions{Height: 12, Strict: true}, "p01 p02 p00 p03 p04", "p02  start it", 12},
	} {
		t.Run(name, func(t *testing.T) {
			ids, text := shown(tc.reply, tc.opts)
			if got := strings.Join(ids, " "); got != tc.want || !strings.Contains(text, tc.says) || strings.Count(text, "\n") != tc.lines {
				t.Errorf("rows %s, want %s; %d lines, want %d:\n%s", got, tc.want, strings.Count(text, "\n"), tc.lines, text)
			}
		})
	}
}

// On a wide screen -o wide is a table, with the hints below it; on a narrow one it is a
// block for each provider.
func TestWriteTable_WideFitsAWideScreen(t *testing.T) {
	for width, isTable := range map[int]bool{0: true, 200: true, 240: true, 160: false, 80: false} {
		var b strings.Builder
		if err := ctl.WriteTable(&b, sampleReply(t), ctl.TableOptions{Wide: true, Width: width}); err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(b.String(), "\n")
		if strings.Contains(first, "ENDPOINT") != isTable {
			t.Errorf("%d columns:\n%s", width, b.String())
		}
		if !strings.Contains(b.String(), "start it: ollama serve") {
			t.Errorf("%d columns: no hint:\n%s", width, b.String())
		}
		checkWidth(t, b.String(), ctl.TableOptions{Width: width})
	}
}

func TestStatus_NoHeadersIsRowsAlone(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaDown)}})
	if got := d.run(t, "status", "--no-headers"); got.out != "ollama  STOPPED  connection_refused  -  1s\n" {
		t.Errorf("%q", got.out)
	}
}

func TestStatus_Completes(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {ok(fleet)}})
	for typed, want := range map[string]string{
		"--state R":          "UNKNOWN STOPPED STARTING RUNNING DEGRADED ERROR",
		"--state RUNNING,":   "RUNNING,UNKNOWN RUNNING,STOPPED RUNNING,STARTING RUNNING,DEGRADED RUNNING,ERROR",
		"--type c":           "local cloud generic",
		"--type local,":      "local,cloud local,generic",
		"--kind o":           "groq http ollama openai vllm",
		"--kind vllm,":       "vllm,groq vllm,http vllm,ollama vllm,openai",
		"--sort l":           "id state reason kind latency age since",
		"-o y":               "table wide name json yaml",
		"gpu-1 g":            "ollama gpu-2 openai groq slow new",
		"--problems --sort=": "id state reason kind latency age since",
	} {
		words := append([]string{"__completeNoDesc", "--socket", d.socket, "status"}, strings.Fields(typed)...)
		if got := run(t.Context(), words...); got.out != strings.ReplaceAll(want, " ", "\n")+"\n:4\n" {
			t.Errorf("%s: %q", typed, got.out)
		}
	}
}

// An odd reply of the daemon does not crash the client.
func TestStatus_SelectsOfAnOddReply(t *testing.T) {
	for body, code := range map[string]int{
		`{"providers":[{"id":"a"},{"id":"b"}],"providers":[{"id":"c"}]}`: 0,
		`{"providers":[{"id":"c"}],"providers":[{"id":"a"},{"id":"b"}]}`: 1,
		`{"PROVIDERS":[{"id":"a"}]}`:                                     0,
		`{"providers":null}`:                                             0,
		`{}`:                                                             0,
		`[]`:                                                             1,
		`null`:                                                           0,
		`{"providers":[7]}`:                                              1,
	} {
		d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {ok(body)}})
		if got := d.run(t, "status", "--sort", "id", "-o", "json"); got.code != code {
			t.Errorf("%s: %+v", body, got)
		}
	}
}
