package cmd_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// How the shells are prepared on their terminals: ctrl-T reports what is on the line, and
// empties it.
const (
	prepareBash = `tell() { echo "$READLINE_LINE" >"$TOLD"; READLINE_LINE= READLINE_POINT=0; }; bind -x '"\C-t": tell'
		source <(providerctl completion bash); source <(providerd completion bash); echo ready >"$TOLD"`
	prepareFish = `function tell; commandline -b >$TOLD; commandline ""; end; bind \ct tell
		providerctl completion fish | source; providerd completion fish | source; echo ready >$TOLD`
	prepareZsh = `tell() { print -r -- "$BUFFER" >"$TOLD"; BUFFER= }; zle -N tell; bindkey '^T' tell; `
	sourcedZsh = prepareZsh + `autoload -U compinit; compinit -D -u
		source <(providerctl completion zsh); source <(providerd completion zsh); echo ready >"$TOLD"`
	loadedZsh = prepareZsh + `for p in providerctl providerd; do $p completion zsh >"$TMPDIR/_$p"; done
		fpath=("$TMPDIR" $fpath); autoload -U compinit; compinit -D -u; echo ready >"$TOLD"`
)

// The tab key does the same in each shell.
func TestCompletion(t *testing.T) {
	models := newModelServer(t) // qwen3:8b
	p := newProcess(t, withIDs("alpha", "beta", "bravo", "ollama:cpu", "ollama:gpu")+
		fmt.Sprintf("[[provider]]\nid = \"local\"\nkind = \"ollama\"\nbase_url = %q\n", models.URL)).start()
	p.untilReason("local", provider.OK)
	folder := folderOfFiles(t)
	for name, tc := range completers {
		t.Run(name, func(t *testing.T) {
			complete := tc(t, folder, "PATH="+bin+":/usr/bin:/bin", "PROVIDERD_SOCKET="+p.socket).complete
			for line, want := range map[string]string{
				"providerctl vers":                  "providerctl version ",
				"providerctl completion z":          "providerctl completion zsh ",
				"providerctl status --outp":         "providerctl status --output ",
				"providerctl status -o w":           "providerctl status -o wide ",
				"providerctl status --output=w":     "providerctl status --output=wide ",
				"providerctl status -o y":           "providerctl status -o yaml ",
				"providerctl status --prob":         "providerctl status --problems ",
				"providerctl status --state ERR":    "providerctl status --state ERROR ",
				"providerctl status --kind t":       "providerctl status --kind tcp ", // one of the configured
				"providerctl status --type=gen":     "providerctl status --type=generic ",
				"providerctl status --sort lat":     "providerctl status --sort latency ",
				"providerctl wait a --for=RUNNING,": "providerctl wait a --for=RUNNING,", // several
				"providerctl wait beta --for DEGR":  "providerctl wait beta --for DEGRADED ",
				"providerctl pick --prefer=f":       "providerctl pick --prefer=fastest ",
				"providerctl pick --model qw":       "providerctl pick --model qwen3:8b ",
				"providerctl pick --model=qwen3:":   "providerctl pick --model=qwen3:8b ",
				"providerctl report beta --error t": "providerctl report beta --error timeout ",
				"providerctl log-level deb":         "providerctl log-level debug ",
				"providerctl help wa":               "providerctl help wait ",
				"providerctl --color al":            "providerctl --color always ",
				"providerctl history be":            "providerctl history beta ",
				"providerctl pause --al":            "providerctl pause --all ",
				"providerd --color=n":               "providerd --color=never ",
				"providerd --log-level w":           "providerd --log-level warn ",
				"providerctl is-running a":          "providerctl is-running alpha ",
				"providerctl is-running b":          "providerctl is-running b", // two
				"providerctl status beta b":         "providerctl status beta bravo ",
				"providerctl status ollama":         "providerctl status ollama:", // both begin so
				"providerctl status ollama:g":       "providerctl status ollama:gpu ",
				"providerctl status ollama:cpu oll": "providerctl status ollama:cpu ollama:gpu ",
				`providerctl status "ollama:g`:      `providerctl status "ollama:gpu" `,
				"providerctl status nosuch":         "providerctl status nosuch",
				"providerctl version one":           "providerctl version one", // it accepts no file
				"providerctl --socket on":           "providerctl --socket one.t",
				"providerctl --socket=one.tx":       "providerctl --socket=one.txt ",
				"providerctl --xyzzy=one.tx":        "providerctl --xyzzy=one.txt ", // nothing else is known about it
				"providerd --config on":             "providerd --config one.toml ",
				"providerd --config=on":             "providerd --config=one.toml ",
				"providerd --state-dir o":           "providerd --state-dir of/",
				"providerd config sh":               "providerd config show ",
				bin + "/providerctl is-running a":   bin + "/providerctl is-running alpha ",

				// A program beside providerctl completes its own arguments.
				"providerctl dashb":                          "providerctl dashboard ",
				"providerctl help dashb":                     "providerctl help dashboard ",
				"providerctl dashboard --no-o":               "providerctl dashboard --no-open ",
				"providerctl --color never dashboard --read": "providerctl --color never dashboard --read-only ",
			} {
				if got := complete(line); got != want {
					t.Errorf("%q becomes %q, want %q", line, got, want)
				}
			}
		})
	}
	for name, tc := range completers {
		t.Run(name+"/NoDaemon", func(t *testing.T) {
			sh := tc(t, folder, "PATH="+bin+":/usr/bin:/bin", "PROVIDERD_SOCKET="+filepath.Join(folder, "none"))
			if got := sh.complete("providerctl status b"); got != "providerctl status b" {
				t.Errorf("becomes %q", got)
			}
			// If there are several choices, each is shown with its description.
			sh.keys("providerctl he\t\t")
			sh.await("Show whether the daemon itself is healthy")
			sh.await("Show help for a command")
		})
	}
}

// Scripts handle what programs of other versions print: a script can be older than the
// program, or newer.
func TestCompletion_Protocol(t *testing.T) {
	folder := folderOfFiles(t)
	programs := t.TempDir()
	stub(t, filepath.Join(programs, "providerctl"), `[ "$1" != completion ] || exec "`+bin+`/providerctl" "$@"
		shift
		case $1 in
		spaces) printf 'my id\tthe id\nelse\tor else\n:4\n' ;;
		open) printf 'open\tno space\n--state=\tthe state\n:6\n' ;;
		equals) printf -- '--state=\tthe state\n:4\n' ;;
		files) printf ':0\n' ;;
		several) printf 'txt\ntoml\n:8\n' ;;
		error) printf 'one\n:1\n' ;;
		broken) echo one; echo it broke >&2; exit 1 ;;
		words) # fish 3 leaves ~ as it is
			case "$2|$3|$4|$5|$6" in "/home/x|~|a b|a b|w" | "~/x|~|a b|a b|w") printf 'well\tit is\n' ;; esac
			printf ':4\n' ;;
		*) printf 'well\tit is\n:4\n' ;;
		esac`)
	for name, tc := range completers {
		t.Run(name, func(t *testing.T) {
			complete := tc(t, folder, "PATH="+programs+":"+bin+":/usr/bin:/bin", "HOME=/home", "PROVIDERD_SOCKET=none").complete
			for line, want := range map[string]string{
				"providerctl spaces m":                   `providerctl spaces my\ id `,
				`providerctl spaces my\ i`:               `providerctl spaces my\ id `,
				`providerctl spaces "my i`:               `providerctl spaces "my id" `,
				"providerctl spaces --state=m":           `providerctl spaces --state=my\ id `,
				"providerctl equals --st":                "providerctl equals --state=",
				"providerctl files o":                    "providerctl files o",
				"providerctl several one.":               "providerctl several one.t",
				"providerctl error o":                    "providerctl error o",
				"providerctl broken o":                   "providerctl broken o",
				`providerctl $(touch bad) "$(x)" we`:     `providerctl $(touch bad) "$(x)" well `,
				`providerctl words ~/x '~' "a b" a\ b w`: `providerctl words ~/x '~' "a b" a\ b well `,
			} {
				if got := complete(line); got != want {
					t.Errorf("%q becomes %q, want %q", line, got, want)
				}
			}
			if got := complete("providerctl x we later" + strings.Repeat("\x02", len(" later"))); strings.Join(strings.Fields(got), " ") != "providerctl x well later" {
				t.Errorf("in front of other words: %q", got)
			}
			if got := complete("providerctl x weX\x02"); name == "bash" && got != "providerctl x wellX" { // zsh and fish take the whole word
				t.Errorf("in the middle of a word: %q", got)
			}
			if got := complete("providerctl open o"); got != "providerctl open open" && name != "fish" { // it decides itself
				t.Errorf("a space follows: %q", got)
			}
			if _, err := os.Stat(filepath.Join(folder, "bad")); err == nil {
				t.Error("a command on the line was run")
			}
		})
	}
}

// completers are the shells, each as a function that starts one in a folder.
var completers = map[string]func(t *testing.T, folder string, env ...string) *typist{
	"bash":       onTerminal(prepareBash, "bash", "--norc", "--noprofile", "-i"),
	"zsh":        onTerminal(sourcedZsh, "zsh", "-f", "-i"),
	"zsh/loaded": onTerminal(loadedZsh, "zsh", "-f", "-i"),
	"fish":       onTerminal(prepareFish, "fish", "--private", "--no-config", "-i"),
}

// folderOfFiles has one.toml, one.txt and a folder, of.
func folderOfFiles(t *testing.T) string {
	folder := t.TempDir()
	for _, name := range []string{"one.toml", "one.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "of"), 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

func stub(t *testing.T, path, script string) {
	if err := writeProgram(path, "#!/bin/sh\n"+script+"\n"); err != nil {
		t.Fatal(err)
	}
}

// A typist sits before a shell.
type typist struct {
	t        *testing.T
	keyboard *os.File
	screen   *lockedBuffer
	told     *os.File // what the shell tells of its line
}

// onTerminal starts a shell on a terminal.
func onTerminal(prepare string, shell ...string) func(*testing.T, string, ...string) *typist {
	return func(t *testing.T, folder string, env ...string) *typist {
		needs(t, shell[0])
		own := t.TempDir()
		pipe, setup := filepath.Join(own, "told"), filepath.Join(own, "setup")
		if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.WriteFile(setup, []byte(prepare), 0o600)); err != nil {
			t.Fatal(err)
		}
		told, err := os.OpenFile(pipe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "TERM=xterm", "TOLD="+pipe, "TMPDIR="+own, "XDG_CONFIG_HOME="+own, "XDG_DATA_HOME="+own)
		s := &typist{t: t, told: told}
		s.keyboard, s.screen = startOnTerminal(t, folder, env, shell)
		t.Cleanup(func() {
			told.Close()
			for _, talk := range []string{"hint:", "directive", "it broke"} {
				if strings.Contains(s.screen.String(), talk) {
					t.Errorf("it shows an error:\n%s", s.screen)
				}
			}
		})
		s.keys("source " + setup + "\n")
		s.line()
		return s
	}
}

func (s *typist) keys(text string) {
	if _, err := io.WriteString(s.keyboard, text); err != nil {
		s.t.Fatal(err)
	}
}

// line is what the shell reports next.
func (s *typist) line() string {
	_ = s.told.SetReadDeadline(time.Now().Add(time.Minute))
	line, err := bufio.NewReader(s.told).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the shell tells nothing: %v\n%s", err, s.screen)
	}
	return strings.TrimSuffix(line, "\n")
}

// complete is what a line becomes when the tab key is pressed at its end.
func (s *typist) complete(line string) string {
	s.keys(line + "\t\x14")
	return s.line()
}

// await waits until the screen shows something.
func (s *typist) await(text string) {
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.screen.String(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown:\n%s", text, s.screen)
		}
	}
}

// startOnTerminal starts a program on its own terminal, and returns where to type and what
// it shows.
func startOnTerminal(t *testing.T, folder string, env, program []string) (keys *os.File, screen *lockedBuffer) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be had here:", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be had here:", err)
	}
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Dir, cmd.Env = folder, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	screen, done := &lockedBuffer{}, make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(screen, master) // ends with EIO when the shell is gone
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		<-done
		master.Close()
	})
	return master, screen
}
