package sink

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxTitle = 200  // bytes
	maxBody  = 1800 // bytes: Discord takes 2000 characters, with the title
)

// Texts are what a person reads of a notice: the templates of a [[notify]], or our own words.
type texts struct {
	title, body *template.Template // nil: our own
}

// functions are what a template can call, besides those of text/template. They are in
// docs/notifications.md.
var functions = template.FuncMap{
	"duration": lasted,
	"time":     clock,
	"join":     func(words []string) string { return strings.Join(words, ", ") },
	"title":    titleOf,
	"body":     bodyOf,
}

// parseTexts checks the templates with one notice of each type.
func parseTexts(cfg *config.Notify) (*texts, error) {
	t := &texts{}
	for _, part := range []struct {
		setting, text, fix string
		into               **template.Template
	}{
		{"title", cfg.Title, `title = "{{.Provider}}: {{.State}}"`, &t.title},
		{"body", cfg.Body, `body = "{{.Detail}}"`, &t.body},
	} {
		if part.text == "" {
			continue
		}
		parsed, err := template.New(part.setting).Funcs(functions).Option("missingkey=error").Parse(part.text)
		if err != nil {
			return nil, &config.SettingError{Setting: part.setting, Problem: plainTemplateError(err), Fix: part.fix}
		}
		for _, n := range samples() {
			if _, err := execute(parsed, &n, maxBody); err != nil {
				return nil, &config.SettingError{
					Setting: part.setting,
					Problem: fmt.Sprintf("with a notice of type %q: %s", n.Type, plainTemplateError(err)), Fix: part.fix,
				}
			}
		}
		*part.into = parsed
	}
	return t, nil
}

// plainTemplateError drops the name of the package and of what a person cannot see.
func plainTemplateError(err error) string {
	return provider.OneLine(strings.TrimPrefix(err.Error(), "template: "), 200)
}

// of are a notice's title, which is one line, and its body. Either can be empty.
func (t *texts) of(n *provider.Notice) (title, body string) {
	title, body = titleOf(n), bodyOf(n)
	if t.title != nil {
		title = rendered(t.title, n, maxTitle, title)
	}
	if t.body != nil {
		body = rendered(t.body, n, maxBody, body)
	}
	return provider.OneLine(title, maxTitle), cut(body, maxBody)
}

// given reports whether the configuration has templates.
func (t *texts) given() bool { return t.title != nil || t.body != nil }

// line are title and body in one text.
func (t *texts) line(n *provider.Notice) string {
	title, body := t.of(n)
	switch {
	case body == "" || title == "":
		return title + body
	case strings.Contains(body, "\n"):
		return title + "\n" + body
	}
	return title + ": " + body
}

// rendered falls back to our own words: a template that fails must not keep a message back.
func rendered(t *template.Template, n *provider.Notice, most int, own string) string {
	text, err := execute(t, n, most)
	if err != nil {
		return own
	}
	return text
}

// execute bounds the output: a template can loop.
func execute(t *template.Template, n *provider.Notice, most int) (string, error) {
	out := &bounded{most: 4 * most}
	if err := t.Execute(out, n); err != nil && !out.full {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
}

// A bounded builder ends what writes too much into it.
type bounded struct {
	strings.Builder
	most int
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		b.full = true
		n, _ := b.Builder.Write(p[:b.most-b.Len()])
		return n, fmt.Errorf("it is longer than %d bytes", b.most)
	}
	return b.Builder.Write(p)
}

// cut shortens each line to what can be read, and the whole to most bytes.
func cut(text string, most int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = provider.OneLine(line, most); line != "" {
			lines = append(lines, line)
		}
	}
	return provider.CutLine(strings.Join(lines, "\n"), most)
}

// clock is a time in the zone of this machine, with the day if it is not today's.
func clock(t provider.Time) string {
	switch local := t.Local(); {
	case t.IsZero():
		return ""
	case time.Since(t.Time).Abs() < 12*time.Hour:
		return local.Format("15:04")
	default:
		return local.Format("Jan 2 15:04")
	}
}

// lasted is how long trouble lasted, or lasts so far, such as "7m" and "2d 3h".
func lasted(n *provider.Notice) string {
	until := n.Until.Time
	if until.IsZero() {
		until = time.Now()
	}
	return span(until.Sub(n.Since.Time))
}

func span(d time.Duration) string {
	d = max(0, d)
	two := func(big, small time.Duration, b, s string) string {
		text := fmt.Sprintf("%d%s", d/big, b)
		if rest := d % big / small; rest > 0 {
			text += fmt.Sprintf(" %d%s", rest, s)
		}
		return text
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 10*time.Minute:
		return two(time.Minute, time.Second, "m", "s")
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return two(time.Hour, time.Minute, "h", "m")
	}
	return two(24*time.Hour, time.Hour, "d", "h")
}
