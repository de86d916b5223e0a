package ctl_test

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/ctl"
)

// openTerminal returns a terminal of that size, and a screen that collects what
// is shown on it.
func openTerminal(t *testing.T, columns, lines uint16) (*os.File, *screen) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal can be had here:", err)
	}
	var number int
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var ioctlErr error
	err = conn.Control(func(fd uintptr) {
		if ioctlErr = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); ioctlErr != nil {
			return
		}
		if number, ioctlErr = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); ioctlErr != nil {
			return
		}
		ioctlErr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns})
	})
	if err != nil || ioctlErr != nil {
		t.Fatal(err, ioctlErr)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be had here:", err)
	}
	shown, done := newScreen(), make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(shown, master) // ends with EIO when the terminal is closed
	}()
	t.Cleanup(func() {
		slave.Close()
		<-done
		master.Close()
	})
	return slave, shown
}

func onTerminal(t *testing.T, d *daemon, columns, lines uint16, variables map[string]string, args ...string) *screen {
	t.Helper()
	file, shown := openTerminal(t, columns, lines)
	env := ctl.Env{
		Args: append([]string{"--socket", d.socket}, args...), Stdin: strings.NewReader(""),
		Stdout: file, Stderr: io.Discard, Getenv: environment(variables),
	}
	if code := ctl.Main(t.Context(), env); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := file.WriteString("END"); err != nil {
		t.Fatal(err)
	}
	shown.await(t.Context(), t, "END", 1)
	return shown
}

func TestTerminal(t *testing.T) {
	script := func() map[string][]reply {
		return map[string][]reply{"GET /api/providers/status": {rows(ollamaDown)}}
	}
	const red, dim = "\x1b[31m", "\x1b[2m"
	t.Run("ColoursStates", func(t *testing.T) {
		got := onTerminal(t, startDaemon(t, script()), 80, 24, nil, "status").String()
		if !strings.Contains(got, dim+"STOPPED\x1b[0m") || strings.Contains(got, red) {
			t.Errorf("%q", got)
		}
	})
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		t.Run("NoColourWith"+name, func(t *testing.T) {
			got := onTerminal(t, startDaemon(t, script()), 80, 24, map[string]string{name: value}, "status").String()
			if !strings.Contains(got, "STOPPED") || strings.Contains(got, "\x1b") {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("KeepsWithinIt", func(t *testing.T) {
		got := onTerminal(t, startDaemon(t, script()), 30, 24, map[string]string{"NO_COLOR": "1"}, "status").String()
		checkWidth(t, strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END"), ctl.TableOptions{Width: 30})
	})
	t.Run("IndentsJSONAndEscapesControls", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {ok("{\"a\":\"\u009b31m\U000e0001\"}")}})
		want := "{\r\n  \"a\": \"\\u009b31m\\udb40\\udc01\"\r\n}\r\n"
		if got := onTerminal(t, d, 80, 24, nil, "status", "-o", "json").String(); !strings.HasPrefix(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// A table of models leaves out what matters least, and shows all that fits.
func TestTerminal_Models(t *testing.T) {
	for name, tc := range map[string]struct {
		columns uint16
		args    []string
		want    string
	}{
		"80": {80, []string{"models"}, `PROVIDER   MODEL                      LOADED    SIZE  FAMILY     QUANT   CONTEXT
ollama     qwen3:8b                   yes     5.2 GB  qwen3      Q4_K_M      40k
ollama     hf.co/somebody/a-model-w…  no      2.1 kB  llama\x1b  -          128k
workshop2  moon                       -            -  -          -            1M
`},
		"40": {40, []string{"models"}, `PROVIDER   MODEL                  LOADED
ollama     qwen3:8b               yes
ollama     hf.co/somebody/a-mod…  no
workshop2  moon                   -
`},
		"40OfOne": {40, []string{"models", "ollama"}, `MODEL                     LOADED    SIZE
qwen3:8b                  yes     5.2 GB
hf.co/somebody/a-model-…  no      2.1 kB
`},
		"12": {12, []string{"models"}, `PROV…  MODEL
olla…  qwen…
olla…  hf.c…
work…  moon
`},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, listsOfModels())
			got := onTerminal(t, d, tc.columns, 24, nil, tc.args...).String()
			got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTerminal_Diagnose(t *testing.T) {
	for _, columns := range []uint16{40, 80} {
		d := startDaemon(t, map[string][]reply{diagnoseA: {ok(`{` + evidence + `}`)}})
		got := onTerminal(t, d, columns, 24, nil, "diagnose", "a").String()
		got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
		checkWidth(t, got, ctl.TableOptions{Width: int(columns)})
		if flat := strings.Join(strings.Fields(got), " "); !strings.Contains(flat, "rule a limit that passes with time, mostly 429; retry_at says until when → rate_limited") {
			t.Errorf("%d columns:\n%s", columns, got)
		}
	}
}
