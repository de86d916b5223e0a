package probe_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// startBus runs a message bus for the test, and returns its socket. policy is added to one
// that allows everything.
func startBus(t *testing.T, policy string) string {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("there is no dbus-daemon here (Debian's package dbus-daemon)")
	}
	if _, err := user.LookupId(strconv.Itoa(os.Geteuid())); err != nil { // as in many containers
		t.Skipf("dbus-daemon turns away a user without a name: %v", err)
	}
	dir, err := os.MkdirTemp("", "bus") // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, file := filepath.Join(dir, "bus"), filepath.Join(dir, "bus.conf")
	text := `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=` + socket + `</listen><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>` + policy + `</policy></busconfig>`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file="+file, "--nofork", "--nopidfile", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it listens
		t.Fatal(err)
	}
	return socket
}

// A unitRow is what systemd's ListUnitsByNames answers for one unit.
type unitRow struct {
	Name, Description, Load, Active, Sub, Following string
	Path                                            dbus.ObjectPath
	Job                                             uint32
	JobType                                         string
	JobPath                                         dbus.ObjectPath
}

// A fakeSystemd has units; the properties are those of their services.
type fakeSystemd struct {
	units      map[string]unitRow
	properties map[string]any
}

func (f *fakeSystemd) ListUnitsByNames(names []string) ([]unitRow, *dbus.Error) {
	rows := []unitRow{}
	for _, name := range names {
		row, ok := f.units[name]
		if !ok {
			row = unitRow{Load: "not-found", Active: "inactive", Sub: "dead"}
		}
		row.Name, row.Description, row.Path, row.JobPath = name, "Description of "+name, "/org/freedesktop/systemd1/unit/x", "/"
		rows = append(rows, row)
	}
	return rows, nil
}

func (f *fakeSystemd) Get(iface, property string) (dbus.Variant, *dbus.Error) {
	value, ok := f.properties[property]
	if iface != "org.freedesktop.systemd1.Service" || !ok {
		return dbus.Variant{}, dbus.MakeFailedError(fmt.Errorf("unknown interface %s or property %s", iface, property))
	}
	return dbus.MakeVariant(value), nil
}

// serveOn serves it on a bus under systemd's name.
func (f *fakeSystemd) serveOn(t *testing.T, socket string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	t.Cleanup(cancel)
	c, err := dbus.Connect("unix:path="+socket, dbus.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for path, iface := range map[dbus.ObjectPath]string{
		"/org/freedesktop/systemd1":        "org.freedesktop.systemd1.Manager",
		"/org/freedesktop/systemd1/unit/x": "org.freedesktop.DBus.Properties",
	} {
		if err := c.Export(f, path, iface); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := c.RequestName("org.freedesktop.systemd1", dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
}

// askUnit probes a system unit over the bus at socket.
func askUnit(ctx context.Context, t *testing.T, socket, unit string, timeout time.Duration) probe.Observation {
	t.Helper()
	p := config.Provider{ID: "x", Kind: "systemd", Type: provider.Generic, BaseURL: "systemd://system/" + unit, Unit: unit, Timeout: timeout}
	pr, err := probe.New(&p, probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "/run/dbus/system_bus_socket" {
			t.Errorf("dialled %s", address)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, socket)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	return pr.Probe(ctx, probe.Ask{Facts: true})
}

func TestSystemd_States(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	for _, tt := range []struct {
		name       string
		unit       string // "" is ollama.service
		row        unitRow
		properties map[string]any
		saw        provider.Reason
		detail     string
	}{
		{
			"Running", "", unitRow{Load: "loaded", Active: "active", Sub: "running"},
			map[string]any{"Result": "success", "MainPID": uint32(812), "NRestarts": uint32(3)},
			provider.OK, "active (running), pid 812, restarted 3 times",
		},
		{"Exited", "", unitRow{Load: "loaded", Active: "active", Sub: "exited"}, nil, provider.OK, "active (exited)"},
		{"Socket", "ollama.socket", unitRow{Load: "loaded", Active: "active", Sub: "listening"}, nil, provider.OK, "active (listening)"},
		{"FileGone", "", unitRow{Load: "not-found", Active: "active", Sub: "running"}, nil, provider.OK, "active (running)"},
		{"MaskedAndRunning", "", unitRow{Load: "masked", Active: "active", Sub: "running"}, nil, provider.OK, "active (running)"},
		{"Reloading", "", unitRow{Load: "loaded", Active: "reloading", Sub: "reload"}, nil, provider.OK, "reloading (reload)"},
		{"Refreshing", "", unitRow{Load: "loaded", Active: "refreshing", Sub: "refresh-extensions"}, nil, provider.OK, "refreshing (refresh-extensions)"},
		{"Starting", "", unitRow{Load: "loaded", Active: "activating", Sub: "start"}, nil, provider.Loading, "activating (start)"},
		{"Queued", "", unitRow{Load: "loaded", Active: "inactive", Sub: "dead", Job: 7, JobType: "start"}, nil, provider.Loading, "inactive (dead), pending job: start"},
		{
			"RestartsAfterAFailure", "", unitRow{Load: "loaded", Active: "activating", Sub: "auto-restart"},
			map[string]any{"Result": "exit-code", "NRestarts": uint32(41)},
			provider.ServerError, "activating (auto-restart), its last run ended with exit-code, restarted 41 times",
		},
		{
			"RestartsAfterAGoodEnd", "", unitRow{Load: "loaded", Active: "activating", Sub: "auto-restart"},
			map[string]any{"Result": "success"}, provider.Loading, "activating (auto-restart)",
		},
		{
			"AboutToRestart", "", unitRow{Load: "loaded", Active: "failed", Sub: "failed-before-auto-restart"},
			map[string]any{"Result": "signal"},
			provider.ServerError, "failed (failed-before-auto-restart), its last run ended with signal",
		},
		{"Stopping", "", unitRow{Load: "loaded", Active: "deactivating", Sub: "stop-sigterm"}, nil, provider.ShuttingDown, "deactivating (stop-sigterm)"},
		{"Stopped", "", unitRow{Load: "loaded", Active: "inactive", Sub: "dead"}, nil, provider.NotRunning, "inactive (dead)"},
		{"Cleaning", "", unitRow{Load: "loaded", Active: "maintenance", Sub: "cleaning"}, nil, provider.NotRunning, "maintenance (cleaning)"},
		{
			"Failed", "", unitRow{Load: "loaded", Active: "failed", Sub: "failed"},
			map[string]any{"Result": "oom-kill", "MainPID": uint32(0)},
			provider.UnitFailed, "failed, its last run ended with oom-kill",
		},
		{"Missing", "nobody.service", unitRow{}, nil, provider.NotFound, "there is no unit nobody.service"},
		{"Masked", "", unitRow{Load: "masked", Active: "inactive", Sub: "dead"}, nil, provider.UnitFailed, "the unit is not loaded: masked"},
		{"Broken", "", unitRow{Load: "bad-setting", Active: "inactive", Sub: "dead"}, nil, provider.UnitFailed, "the unit is not loaded: bad-setting"},
		{"StateOfTomorrow", "", unitRow{Load: "loaded", Active: "dreaming", Sub: "deep"}, nil, provider.CheckUnknown, "dreaming (deep)"},
		{"PropertyOfAnotherType", "", unitRow{Load: "loaded", Active: "active", Sub: "running"}, map[string]any{"MainPID": "many"}, provider.OK, "active (running)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := "ollama.service"
			f := &fakeSystemd{properties: tt.properties}
			if tt.unit != "" {
				name = tt.unit
			}
			if tt.row != (unitRow{}) {
				f.units = map[string]unitRow{name: tt.row}
			}
			socket := startBus(t, "")
			f.serveOn(t, socket)
			o := askUnit(t.Context(), t, socket, name, patient)
			if o.Saw != tt.saw || o.Detail != tt.detail {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if o.Latency == 0 || o.PortListening != nil || o.APIResponding != nil {
				t.Errorf("latency %s, port listening %v, responding %v", o.Latency, o.PortListening, o.APIResponding)
			}
			if c := o.Evidence.Checks; len(c) != 1 || c[0].Asked != "the system's systemd for "+name || c[0].Answer == "" || c[0].Error != "" {
				t.Errorf("checks %+v", c)
			}
		})
	}
}

// It is not the unit's fault if systemd cannot be asked.
func TestSystemd_CannotBeAsked(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	for _, tt := range []struct {
		name   string
		socket func(t *testing.T) string
		saw    provider.Reason
		detail string
	}{
		{"NoBus", func(t *testing.T) string { return filepath.Join(t.TempDir(), "bus") }, provider.CheckUnknown, "the system bus cannot be reached: "},
		{"NoSystemd", func(t *testing.T) string { return startBus(t, "") }, provider.CheckUnknown, "no systemd is on the system bus"},
		{"Denied", func(t *testing.T) string {
			socket := startBus(t, `<deny send_destination="org.freedesktop.systemd1"/>`)
			new(fakeSystemd).serveOn(t, socket)
			return socket
		}, provider.Forbidden, "the system bus: Rejected send message"},
		{"NobodyMayConnect", func(t *testing.T) string { return startBus(t, `<deny user="*"/>`) }, provider.CheckUnknown, "the system bus: "},
		{"NoBusSpokenThere", func(t *testing.T) string {
			return answerOnSocket(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") })
		}, provider.CheckUnknown, "the system bus: "},
		{"HangsUp", func(t *testing.T) string { return answerOnSocket(t, func(net.Conn) {}) }, provider.CheckUnknown, "the system bus: "},
		{"NonsenseAfterTheGreeting", func(t *testing.T) string {
			return answerOnSocket(t, func(c net.Conn) {
				_, _ = io.WriteString(c, "REJECTED EXTERNAL\r\nOK 0123456789abcdef0123456789abcdef\r\n")
				_, _ = c.Write(make([]byte, 64<<10))
			})
		}, provider.CheckUnknown, "the system bus: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := askUnit(t.Context(), t, tt.socket(t), "ollama.service", patient)
			if o.Saw != tt.saw || !strings.HasPrefix(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q…", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if c := o.Evidence.Checks; len(c) != 1 || c[0].Error != o.Detail {
				t.Errorf("checks %+v", c)
			}
		})
	}
	silent := func(t *testing.T) string {
		return answerOnSocket(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	}
	t.Run("Silence", func(t *testing.T) {
		o := askUnit(t.Context(), t, silent(t), "ollama.service", brief)
		if o.Saw != provider.CheckUnknown || o.Detail != "systemd did not answer over the system bus within 2s" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("CallerGone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		socket := answerOnSocket(t, func(c net.Conn) {
			cancel()
			_, _ = io.Copy(io.Discard, c)
		})
		if o := askUnit(ctx, t, socket, "ollama.service", patient); o.Saw != "" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
}

// answerOnSocket passes every connection to f, and then closes it.
func answerOnSocket(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestSystemd_FindsTheBus(t *testing.T) {
	for _, tt := range []struct{ bus, system, session, runtime, want string }{
		{"", "", "unix:path=/s", "/run/user/7", "/run/dbus/system_bus_socket"},
		{"system", "unix:path=/x%20y/bus,guid=1", "", "", "/x y/bus"},
		{"system", "tcp:host=h,port=1;unix:guid=1,path=/second", "", "", "/second"},
		{"system", "tcp:host=h,port=1", "", "", "/run/dbus/system_bus_socket"},
		{"user", "unix:path=/x", "unix:abstract=/tmp/dbus-a", "/run/user/7", "@/tmp/dbus-a"},
		{"user", "unix:path=/x", "", "/run/user/7", "/run/user/7/bus"},
		{"user", "", "", "", fmt.Sprintf("/run/user/%d/bus", os.Getuid())},
	} {
		t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", tt.system)
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", tt.session)
		t.Setenv("XDG_RUNTIME_DIR", tt.runtime)
		p := config.Provider{ID: "x", Kind: "systemd", Unit: "a.service", Bus: tt.bus, Timeout: patient}
		dialled := ""
		pr, err := probe.New(&p, probe.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, os.ErrNotExist
		}})
		if err != nil {
			t.Fatal(err)
		}
		if o := pr.Probe(t.Context(), probe.Ask{DialFirst: true}); o.Saw != provider.CheckUnknown || dialled != tt.want {
			t.Errorf("%+v: dialled %s, saw %s", tt, dialled, o.Saw)
		}
		pr.Close()
	}
}

// If variables point to another user's bus, as after su, nothing is sent to it.
func TestSystemd_AnotherUsersBusIsNotAsked(t *testing.T) {
	for _, bus := range []string{"user", "system"} {
		t.Run(bus, func(t *testing.T) { anotherUsersBusIsNotAsked(t, bus) })
	}
}

func anotherUsersBusIsNotAsked(t *testing.T, bus string) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Listener)
	go func() {
		runtime.LockOSThread()                                                                      // for good: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 60_666, 60_666, 60_666); errno != 0 { // of this thread alone
			t.Error(errno)
		}
		l, err := net.Listen("unix", filepath.Join(dir, "bus"))
		if err != nil {
			t.Error(err)
		}
		listening <- l
	}()
	l := <-listening
	if l == nil {
		t.FailNow()
	}
	heard := make(chan string)
	go func() {
		defer close(heard)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		text, _ := io.ReadAll(c)
		heard <- string(text)
	}()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "bus"))
	p := config.Provider{ID: "x", Kind: "systemd", Unit: "a.service", Bus: bus, Timeout: patient}
	pr, err := probe.New(&p, probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pr.Close)
	o := pr.Probe(t.Context(), probe.Ask{DialFirst: true})
	if o.Saw != provider.CheckUnknown || !strings.Contains(o.Detail, "belongs to uid 60666: unset ") {
		t.Errorf("saw %s: %s", o.Saw, o.Detail)
	}
	if text := <-heard; text != "" {
		t.Errorf("it is told %q", text)
	}
	l.Close()
	<-heard
}

func TestSystemd_Configuration(t *testing.T) {
	t.Parallel()
	kind := kindNamed(t, "systemd")
	for _, tt := range []struct{ unit, bus, address, problem, fix string }{
		{"ollama.service", "", "systemd://system/ollama.service", "", ""},
		{"vllm@gpu-0.service", "user", "systemd://user/vllm@gpu-0.service", "", ""},
		{`mnt-models\x2dbig.mount`, "system", `systemd://system/mnt-models%5Cx2dbig.mount`, "", ""},
		{"ollama", "", "systemd://system/ollama", "unit: its type is missing", `unit = "ollama.service"`},
		{"vllm@.service", "", "systemd://system/vllm@.service", "unit: it is a template: the instance is missing", `unit = "vllm@1.service"`},
		{"../a.service", "", "systemd://system/../a.service", `unit: "../a.service" is not the name of a unit`, `unit = "ollama.service"`},
		{"", "", "systemd://system/", "unit: it is missing", `unit = "ollama.service"`},
		{strings.Repeat("a", 248) + ".service", "", "", "unit: it is longer than 255 characters", `unit = "ollama.service"`},
	} {
		p := &config.Provider{Unit: tt.unit, Bus: tt.bus}
		if address := kind.Address(p); tt.address != "" && address != tt.address {
			t.Errorf("%s is at %s, want %s", tt.unit, address, tt.address)
		}
		var wrong *config.SettingError
		if err := kind.Check(p); errors.As(err, &wrong) != (tt.problem != "") {
			t.Errorf("%s: %v, want %q", tt.unit, err, tt.problem)
		} else if wrong != nil && (wrong.Error() != tt.problem || wrong.Fix != tt.fix) {
			t.Errorf("%s: %q, write %q; want %q, %q", tt.unit, wrong, wrong.Fix, tt.problem, tt.fix)
		}
	}
}
