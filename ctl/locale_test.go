package ctl

import (
	"strings"
	"testing"
)

// The first variable that is set decides whether text is ASCII; if none is, the system does.
func TestASCIIWanted(t *testing.T) {
	type env = map[string]string
	for name, tc := range map[string]struct {
		env     env
		system  string
		shown   bool
		console bool // reads UTF-8
		want    bool
	}{
		"Linux/Nothing":              {nil, "linux", true, false, true},
		"FreeBSD/Nothing":            {nil, "freebsd", true, false, true},
		"Linux/Lang":                 {env{"LANG": "en_GB.UTF-8"}, "linux", true, false, false},
		"Linux/Spelled":              {env{"LANG": "de_DE.utf8"}, "linux", true, false, false},
		"Linux/Modified":             {env{"LANG": "ca_ES.UTF-8@valencia"}, "linux", true, false, false},
		"Linux/C.UTF-8":              {env{"LC_ALL": "C.UTF-8"}, "linux", false, false, false},
		"Linux/Latin":                {env{"LANG": "de_DE.ISO-8859-1"}, "linux", true, false, true},
		"Linux/NoCharset":            {env{"LANG": "de_DE"}, "linux", true, false, true},
		"Linux/Euro":                 {env{"LANG": "de_DE@euro"}, "linux", true, false, true},
		"Linux/POSIX":                {env{"LANG": "POSIX"}, "linux", true, false, true},
		"Linux/AllOverLang":          {env{"LC_ALL": "C", "LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, "linux", true, false, true},
		"Linux/CtypeOverLang":        {env{"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "linux", true, false, false},
		"Linux/CtypeOverLangToASCII": {env{"LC_CTYPE": "C", "LANG": "C.UTF-8"}, "linux", true, false, true},
		"Linux/EmptyIsNotSet":        {env{"LC_ALL": "", "LC_CTYPE": "", "LANG": "C.UTF-8"}, "linux", true, false, false},
		"Linux/MessagesDoNotCount":   {env{"LC_MESSAGES": "C.UTF-8"}, "linux", true, false, true},
		"MacOS/Nothing":              {nil, "darwin", true, false, false},
		"MacOS/NothingInAPipe":       {nil, "darwin", false, false, false},
		"MacOS/CharsetAlone":         {env{"LC_CTYPE": "UTF-8"}, "darwin", true, false, false},
		"MacOS/C":                    {env{"LC_ALL": "C"}, "darwin", true, false, true},
		"Windows/Console":            {nil, "windows", true, false, false},
		"Windows/Pipe":               {nil, "windows", false, false, true},
		"Windows/PipeOfUTF8":         {nil, "windows", false, true, false},
		"Windows/Said":               {env{"LANG": "C.UTF-8"}, "windows", false, false, false},
		"Windows/SaidC":              {env{"LC_ALL": "C"}, "windows", true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			getenv := func(name string) string { return tc.env[name] }
			if got := asciiWanted(getenv, tc.system, tc.shown, func() bool { return tc.console }); got != tc.want {
				t.Errorf("ASCII is wanted: %v, want %v", got, tc.want)
			}
		})
	}
}

// Text that was laid out in columns stays in them.
func TestFittedASCII(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                     "plain",
		"qwen3:8b-somet…  no":       "qwen3:8b-som...  no",
		"\x1b[32mRUNN…\x1b[0m  x":   "\x1b[32mRU...\x1b[0m  x",
		"\x1b[2mR…\x1b[0m":          "\x1b[2mR~\x1b[0m",
		"a…":                        "a~",
		"… 3 more":                  "+ 3 more",
		"  …":                       "  ~",
		"● ollama":                  "* ollama",
		"a → b":                     "a > b",
		"5 · 6":                     "5 - 6",
		"请等":                        "????",
		"é e\u0301":                 "? ?",
		"“it’s” – 3 × 2 µs":         "\"it's\" - 3 x 2 us",
		"👩‍👩‍👧 x…":                  "?? x~",
		"\x1b[2mm… \x1b[0m\x1b[2m…": "\x1b[2mm+ \x1b[0m\x1b[2m~",
	} {
		if got := fittedASCII(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		if got := fittedASCII(text); !isASCII(got) || displayWidth(bare(got)) != displayWidth(bare(text)) {
			t.Errorf("%q becomes %q, which is wider or narrower", text, got)
		}
	}
}

// bare is text without its styles.
func bare(text string) string {
	for _, style := range Styles() {
		text = strings.ReplaceAll(text, style, "")
	}
	return text
}

func TestTalkASCII(t *testing.T) {
	for text, want := range map[string]string{
		"plain?": "plain?", "usage: status [ID…]": "usage: status [ID...]", "a → b": "a -> b", "id = \"模型\"": "id = \"????\"", "e\u0301 ?": "? ?",
	} {
		if got := talkASCII(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
