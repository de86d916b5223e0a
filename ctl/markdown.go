package ctl

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// writeMarkdown writes a diagnosis, to paste into an issue.
func (a *app) writeMarkdown(ctx context.Context, d *provider.Diagnostics) error {
	_, err := io.WriteString(a.data, Markdown(d, a.now(), a.daemonVersion(ctx), "providerctl "+code(a.version())))
	return err
}

// Markdown is a diagnosis to paste into an issue, from this version of the daemon and, in
// Markdown, this program. Text that is not this program's own is in code spans, where it
// cannot be markup, HTML, a link or a mention.
func Markdown(d *provider.Diagnostics, now time.Time, daemonVersion, program string) string {
	var b strings.Builder
	b.WriteString("## " + code(d.ID) + " (" + code(d.Kind) + ") is " + code(verdictName(&d.Verdict)) + "\n\n")
	if d.BeganAt.IsZero() {
		b.WriteString("Not probed since the daemon started.\n\n")
	} else {
		b.WriteString("Probed at " + d.BeganAt.UTC().Format("2006-01-02 15:04:05 MST") + " in " + latency(d.TookMS) + ".\n\n")
	}
	b.WriteString("| layer | what was seen | took |\n|---|---|---:|\n")
	writeRow(&b, "endpoint", cell(d.Endpoint), "")
	steps := layers(d)
	for _, l := range steps {
		came := cell(l.came)
		if l.asked != "" {
			came = cell(l.asked) + " → " + came
		}
		took := ""
		if l.tookMS > 0 {
			took = latency(l.tookMS)
		}
		writeRow(&b, l.name, came, took)
	}
	for _, line := range slices.Concat(feedLines(d.Feed, now), verdictLines(&d.Verdict, now)) {
		writeRow(&b, strings.TrimSpace(line[0]), cell(line[1]), "")
	}
	for _, l := range steps {
		if len(l.headers) > 0 || l.body != "" {
			b.WriteString("\n" + code(l.asked) + " was answered:\n\n" + fenced(l.answer()))
		}
	}
	b.WriteString("\nproviderd " + code(daemonVersion) + ", " + program + ", " + runtime.GOOS + "/" + runtime.GOARCH + "\n")
	return b.String()
}

// daemonVersion is the version that the daemon reports.
func (a *app) daemonVersion(ctx context.Context) string {
	info, err := a.client.Daemon(ctx)
	if err != nil {
		return "unknown"
	}
	return info.Version
}

// answer is what came back, as over the wire.
func (l *layer) answer() string {
	lines := []string{provider.Printable(l.came)}
	for _, h := range l.headers {
		lines = append(lines, provider.Printable(h))
	}
	if l.body != "" {
		lines = append(lines, "", provider.Printable(l.body))
	}
	return strings.Join(lines, "\n")
}

func writeRow(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// cell is code in a table, where even code must not have a bare pipe.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// code is a code span, which takes everything except its own delimiter as it is.
func code(s string) string {
	s = provider.Printable(s)
	if s == "" {
		return ""
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" {
		s = " " + s + " "
	}
	mark := strings.Repeat("`", longestRun(s)+1)
	return mark + s + mark
}

// fenced is a block of code.
func fenced(s string) string {
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	return fence + "text\n" + s + "\n" + fence + "\n"
}

// longestRun is the length of the longest run of backticks in s.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
