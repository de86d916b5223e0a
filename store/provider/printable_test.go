package provider_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/providerd/providerd/store/provider"
)

// unseen are characters that are more than text to a terminal or a reader: C0 and C1
// controls, also as bytes of Latin-1; marks of direction; line and paragraph separators;
// characters without width; tags, variation selectors of another plane, and private use.
func unseen() (all []string) {
	for c := range 0x20 {
		if c != '\n' && c != '\t' {
			all = append(all, string(rune(c)))
		}
	}
	for c := 0x7f; c <= 0x9f; c++ {
		all = append(all, string(rune(c)), string([]byte{byte(c | 0x80)}))
	}
	for _, r := range "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad\U000e0041\U000e0100\ue000\ufdd0" {
		all = append(all, string(r))
	}
	return append(all, "\xc2", "\xe2\x80", "\xff\xfe", "\xed\xa0\x80")
}

func isUnseen(r rune) bool { return !provider.Shows(r) && r != utf8.RuneError && r != '\n' }

func TestPrintable_EscapesWhatDoesNotShow(t *testing.T) {
	for _, bad := range unseen() {
		text := "a" + bad + "b"
		for name, got := range map[string]string{
			"Printable":      provider.Printable(text),
			"PrintableLines": provider.PrintableLines("x\n" + text),
			"PrintableJSON":  string(provider.PrintableJSON([]byte(text))),
			"TextWriter":     written(text),
		} {
			if strings.ContainsFunc(got, isUnseen) || !utf8.ValidString(got) || !strings.Contains(got, "a") || !strings.HasSuffix(got, "b") {
				t.Errorf("%s of %q is %q", name, text, got)
			}
		}
	}
	for _, good := range []string{"", "plain", "größe 模型 \U0001f469\u200d\U0001f4bb e\u0301", "\uFFFD"} {
		if got := provider.Printable(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
		if got := written(good + "\n\t" + good); got != good+"\n\t"+good {
			t.Errorf("%q became %q", good, got)
		}
	}
	if got := provider.Printable("a\tb\nc"); got != `a b\nc` {
		t.Errorf("%q", got)
	}
}

// No line of a message can pass for another message.
func TestPrintableLines_KeepToTheirMessage(t *testing.T) {
	got := provider.PrintableLines("bad\nproviderctl: hint: run this\n\n   3 | x\r\n<3>forged")
	want := "bad\n  providerctl: hint: run this\n  \n   3 | x\\r\n  <3>forged"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The values of a JSON text are the same with their characters escaped.
func TestPrintableJSON_ChangesNoValue(t *testing.T) {
	value := "a\\\"" + strings.Join(unseen(), "-") + "\u2028\U000e0041b"
	text, err := json.Marshal(map[string]string{"v": value})
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]string
	printed := provider.PrintableJSON(text)
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(printed, &got); err != nil || got["v"] != want["v"] {
		t.Errorf("%v: %q became %q", err, want["v"], got["v"])
	}
	if slices.ContainsFunc([]rune(string(printed)), isUnseen) {
		t.Errorf("%q", printed)
	}
}

// written is what a text becomes, with the styles of the test allowed.
func written(text string) string {
	var b strings.Builder
	w := provider.NewTextWriter(&b, "\x1b[0m", "\x1b[31m")
	w.Write([]byte(text))
	w.Flush()
	return b.String()
}

func TestTextWriter_LetsOnlyItsStylesThrough(t *testing.T) {
	got := written("\x1b[31mred\x1b[0m \x1b[32m\x1b[2J\x1b]0;x\a\x1b[3")
	if want := "\x1b[31mred\x1b[0m " + `\x1b[32m\x1b[2J\x1b]0;x\a\x1b[3`; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// However a text is cut into pieces, the output is the same.
func FuzzTextWriter(f *testing.F) {
	f.Add("\x1b[31mgrößer\x1b[0m\x1b[2J \u202e 模型 \xff", uint(2))
	f.Fuzz(func(t *testing.T, text string, cut uint) {
		var b strings.Builder
		w := provider.NewTextWriter(&b, "\x1b[0m", "\x1b[31m")
		for rest := text; rest != ""; {
			n := min(len(rest), int(1+cut%7))
			if got, err := w.Write([]byte(rest[:n])); got != n || err != nil {
				t.Fatal(got, err)
			}
			rest = rest[n:]
		}
		w.Flush()
		if whole := written(text); b.String() != whole {
			t.Errorf("in pieces %q, at once %q", b.String(), whole)
		}
		plain := strings.NewReplacer("\x1b[0m", "", "\x1b[31m", "").Replace(b.String())
		if strings.ContainsFunc(plain, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Errorf("%q lets a control character through: %q", text, b.String())
		}
	})
}

// Quoted text shows completely, and TOML, YAML and Go read it back as the same.
func TestQuoted(t *testing.T) {
	for s, want := range map[string]string{
		"":                  `""`,
		`a "b" \ c`:         `"a \"b\" \\ c"`,
		"a\tb\nc\x1b[2J":    `"a\tb\nc\u001B[2J"`,
		"é 你好 \u202e\u200b": `"é 你好 \u202E\u200B"`,
		"\U000e0041":        `"\U000E0041"`,
	} {
		got := provider.Quoted(s)
		if back, err := strconv.Unquote(got); got != want || err != nil || back != s {
			t.Errorf("%q: %s, want %s; read back as %q, %v", s, got, want, back, err)
		}
	}
}
