package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

var now = time.Date(2026, 11, 22, 14, 20, 0, 0, time.UTC)

// well are the facts where nothing is wrong: the system's daemon, asked by a person who is
// in its group.
func well() *Facts {
	read := provider.Time{Time: now.Add(-time.Hour)}
	return &Facts{
		Now: now, OS: "linux", Me: Me{UID: 1000}, Mine: "v1.2.3", Beside: Beside{Path: "/usr/bin/providerd", Version: "v1.2.3"},
		Places: []Place{
			{Path: "/run/user/1000/providerd/providerd.sock", Err: gone, Absent: true, UID: -1},
			{Path: "/run/providerd/providerd.sock", Exists: true, Mode: fs.ModeSocket | 0o666, PID: 812},
		},
		Info: &provider.DaemonInfo{
			Version: "v1.2.3", PID: 812, UptimeSeconds: 7200, Providers: 1, Socket: "/run/providerd/providerd.sock",
			ConfigPath: "/etc/providerd/providerd.toml", StatePath: "/var/lib/providerd/providerd.db",
			Setup: &provider.Setup{System: true, AdminGroup: "providerd", Caller: provider.Caller{Admin: true},
				Config: provider.ConfigInForce{ModifiedAt: read}, Keys: []provider.KeyInUse{{ID: "openai", Source: "env OPENAI_API_KEY", Set: true}}},
		},
		Health:    &provider.Health{Status: "ok"},
		Rows:      []provider.Status{{ID: "openai", State: provider.StateRunning, Reason: provider.OK}},
		Processes: []Process{{PID: 812, UID: 990, State: "S"}},
		Units: []Unit{{Manager: "systemd", Installed: true, Values: map[string]string{
			"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled", "Result": "success", "Type": "notify"}}},
		Group: Group{Name: "providerd", Exists: true, Listed: true, Active: true},
		File:  File{Path: "/etc/providerd/providerd.toml", System: true, Exists: true, Modified: read.Time, Checked: true, Good: true},
		Clock: Clock{Known: true, Synchronised: true},
		Disk:  Disk{Folder: "/var/lib/providerd", Known: true, Free: 9e9, Total: 20e9, Inodes: 1e6, AllNodes: 2e6},
	}
}

var (
	gone    = provider.Errorf(provider.DaemonUnreachable, "start it: sudo providerd service start", "the daemon is not running: no socket at S")
	late    = provider.Errorf(provider.TimedOut, "", "the daemon at S did not answer within 3s")
	refused = provider.Errorf(provider.Denied, "run it with sudo", "you may not open the control socket S")
)

// away are the facts where no daemon answers, for that reason.
func away(e *provider.Error) *Facts {
	f := well()
	f.Info, f.Health, f.Rows, f.InfoErr = nil, nil, nil, e
	f.Places[1].PID = 812
	if e == gone {
		f.Places[1].Err, f.Places[1].Absent, f.Places[1].Exists, f.Processes = gone, true, false, nil
	}
	return f
}

func TestExamine_NothingIsWrong(t *testing.T) {
	all := Examine(well())
	if Worst(all) != OK || Count(all, Warn)+Count(all, Fail)+Count(all, Skip) != 0 {
		t.Errorf("%+v", all)
	}
	for _, subject := range []string{"daemon", "socket", "rights", "unit", "configuration", "keys", "proxies", "clock", "disk", "versions", "openai"} {
		if findings(all, subject) == nil {
			t.Errorf("nothing is said of %s", subject)
		}
	}
}

func findings(all []Finding, subject string) (of []Finding) {
	for _, f := range all {
		if f.Title() == subject {
			of = append(of, f)
		}
	}
	return of
}

// Each thing that may be wrong is said of its subject, with what to type.
func TestExamine(t *testing.T) {
	setup := func(change func(s *provider.Setup)) func(f *Facts) {
		return func(f *Facts) { change(f.Info.Setup) }
	}
	value := func(pairs ...string) func(f *Facts) {
		return func(f *Facts) {
			for i := 0; i < len(pairs); i += 2 {
				f.Units[0].Values[pairs[i]] = pairs[i+1]
			}
		}
	}
	row := func(s provider.Status) func(f *Facts) { return func(f *Facts) { f.Rows = []provider.Status{s} } }
	for _, tt := range []struct {
		name    string
		facts   *Facts // nil: all is well
		change  func(f *Facts)
		subject string
		level   Level
		says    string // in the summary or the details
		fix     string // in what to type
	}{
		{"NotRunning", away(gone), nil, "daemon", Fail, "is not running", "sudo providerd service start"},
		{"RunsElsewhere", away(gone), func(f *Facts) { f.Processes = []Process{{PID: 7, UID: 1000, State: "S"}} }, "daemon", Fail, "pid 7", "--socket PATH"},
		{"AnothersIsNotMeant", away(gone), func(f *Facts) { f.Processes = []Process{{PID: 7, UID: 1001, State: "S"}} }, "daemon", Fail, "", "service start"},
		{"Stuck", away(late), nil, "daemon", Fail, "did not answer", "sudo kill -ABRT 812"},
		{"StuckAndRestarted", away(late), nil, "daemon", Fail, "", "sudo providerd service restart"},
		{"StuckSomewhere", away(late), func(f *Facts) { f.Processes = nil }, "daemon", Fail, "", "service restart"},
		{"Stopped", away(late), func(f *Facts) { f.Processes[0].State = "T" }, "daemon", Fail, "812 is stopped", "kill -CONT 812"},
		{"WaitsForItsDisk", away(late), func(f *Facts) { f.Processes[0].State = "D" }, "daemon", Fail, "waits for a disk", "findmnt"},
		{"Unwell", nil, func(f *Facts) {
			f.Health = &provider.Health{Status: "failing", Checks: map[string]string{"store": "no space left on device", "disk": "ok"}}
		}, "daemon", Fail, "store: no space left", "df -h /var/lib/providerd"},
		{"DoesNotTell", nil, func(f *Facts) { f.Health = nil }, "daemon", Warn, "does not report its health", ""},
		{"AProviderNamedAsASubject", nil, row(provider.Status{ID: "disk", State: provider.StateRunning, Reason: provider.OK}), "disk", OK, "RUNNING", ""},
		{"UnwellInANewWay", nil, func(f *Facts) {
			f.Health = &provider.Health{Status: "failing", Checks: map[string]string{"moon": "full"}}
		}, "daemon", Fail, "moon: full", ""},
		{"MayNotOpen", away(refused), func(f *Facts) { f.Places[1].Err = refused }, "socket", Fail, "mode 0666", "run it with sudo"},
		{"MayNotOpenIsSaidOnce", away(refused), func(f *Facts) { f.Places[1].Err = refused }, "daemon", Skip, "may not open", ""},
		{"SocketIsLeft", away(gone), func(f *Facts) { f.Places[1].Exists = true }, "socket", OK, "the next start replaces it", ""},
		{"NoSocket", away(gone), nil, "socket", Skip, "looked at /run/user/1000/providerd/providerd.sock", ""},
		{"AnothersSocket", nil, func(f *Facts) {
			f.Places[0] = Place{Path: "/x", Exists: true, Mode: fs.ModeSocket, Err: provider.Errorf(provider.DaemonUnreachable, "unset XDG_RUNTIME_DIR", "the socket /x is not used: uid 7 listens there")}
		}, "socket", Warn, "uid 7", "unset XDG_RUNTIME_DIR"},
		{"AnothersSocketAlone", away(gone), func(f *Facts) {
			f.Places[0] = Place{Path: "/x", Exists: true, Mode: fs.ModeSocket, Err: provider.Errorf(provider.DaemonUnreachable, "unset XDG_RUNTIME_DIR", "the socket /x is not used: uid 7 listens there")}
		}, "socket", Fail, "uid 7", "unset XDG_RUNTIME_DIR"},
		{"NoAdministrator", nil, func(f *Facts) { f.Info.Setup.Caller.Admin, f.Group = false, Group{Name: "providerd"} }, "rights", OK, "you may read, refresh and report, but not pause", "sudo usermod -aG providerd $USER"},
		{"SessionIsOlder", nil, func(f *Facts) { f.Info.Setup.Caller.Admin, f.Group.Active = false, false }, "rights", Fail, "after this session began", "newgrp providerd"},
		{"AnotherNamespace", nil, setup(func(s *provider.Setup) { s.Caller.Admin = false }), "rights", Warn, "though", "namespace"},
		{"NoGroup", nil, func(f *Facts) { f.Info.Setup.Caller.Admin, f.Group = false, Group{} }, "rights", OK, "not pause", "sudo providerctl"},
		{"OldDaemonsRights", nil, func(f *Facts) { f.Info.Setup = nil }, "rights", Skip, "too old", ""},
		{"UnitFailed", away(gone), func(f *Facts) {
			value("ActiveState", "failed", "Result", "exit-code", "ExecMainStatus", "203")(f)
			f.Units[0].Journal = []string{"the last line"}
		}, "unit", Fail, "the last line", "journalctl -u providerd"},
		{"UnitFailedFor", away(gone), value("ActiveState", "failed", "Result", "exit-code", "ExecMainStatus", "203"), "unit", Fail, "cannot be run (203)", "restart"},
		{"UnitEndsAgain", away(gone), value("ActiveState", "activating", "SubState", "auto-restart", "NRestarts", "17"), "unit", Fail, "17 times", "journalctl"},
		{"UnitIsMasked", away(gone), value("LoadState", "masked"), "unit", Fail, "masked", "unmask"},
		{"UnitIsBad", away(gone), value("LoadState", "bad-setting"), "unit", Fail, "bad-setting", "systemctl cat"},
		{"UnitIsNotStarted", away(gone), value("ActiveState", "inactive", "SubState", "dead"), "unit", Fail, "inactive", "sudo systemctl start"},
		{"UnitIsBesideAnother", nil, value("ActiveState", "inactive"), "unit", Warn, "another providerd", "sudo systemctl disable"},
		{"UnitIsOffBesideAnother", nil, value("ActiveState", "inactive", "UnitFileState", "disabled"), "unit", OK, "inactive", ""},
		{"UnitTellsWhyNoneAnswers", away(gone), value("ActiveState", "failed"), "daemon", Skip, "see unit", ""},
		{"UnitTellsWhyThoughAnotherRuns", away(gone), func(f *Facts) {
			value("ActiveState", "failed")(f)
			f.Processes = []Process{{PID: 7, UID: 1000, Socket: "/x"}}
		}, "daemon", Skip, "pid 7", "providerctl --socket /x doctor"},
		{"UsersDaemonsAreNotRoots", away(gone), func(f *Facts) {
			f.Me = Me{Root: true}
			f.Processes = []Process{{PID: 7, UID: 1000, Socket: "/x"}}
		}, "daemon", Fail, "", "start it"},
		{"UnitEndedWithACode", away(gone), value("ActiveState", "failed", "Result", "exit-code", "ExecMainStatus", "1"), "unit", Fail, "has failed: exit code 1", ""},
		{"UnitIsNotStartedAndTellsWhy", away(gone), value("ActiveState", "inactive"), "daemon", Skip, "see unit", ""},
		{"UnitFailsForItsConfiguration", away(gone), func(f *Facts) { value("ActiveState", "failed")(f); f.File.Good = false }, "unit", Fail, "", "see configuration, below"},
		{"SocketTellsWhyNoneAnswers", away(gone), func(f *Facts) {
			f.Places[0] = Place{Path: "/x", Exists: true, Mode: fs.ModeSocket, Err: provider.Errorf(provider.DaemonUnreachable, "unset XDG_RUNTIME_DIR", "the socket /x is not used: uid 7 listens there")}
		}, "daemon", Skip, "see socket", ""},
		{"ChosenAndAbsent", away(gone), func(f *Facts) { f.Places = []Place{{Path: "/x", Chosen: true, Absent: true, Err: gone}} }, "socket", Skip, "looked at /x", ""},
		{"SocketIsLeftBeforeAnother", nil, func(f *Facts) { f.Places[0].Exists, f.Places[0].Mode, f.Places[0].UID = true, fs.ModeSocket, 1000 }, "socket", Warn, "left from a daemon", "rm /run/user/1000/"},
		{"TwoRun", nil, func(f *Facts) { f.Processes = append(f.Processes, Process{PID: 7, UID: 1000, Socket: "/x y/s"}) }, "daemon", Warn, "another providerd runs too, pid 7", "--socket '/x y/s' doctor"},
		{"TwoRunAndOneIsTheUnit", nil, func(f *Facts) {
			value("MainPID", "812")(f)
			f.Info.PID, f.Places[1].PID = 7, 7
		}, "daemon", Warn, "pid 812", "sudo systemctl disable --now"},
		{"AnothersRunsToo", nil, func(f *Facts) { f.Processes = append(f.Processes, Process{PID: 7, UID: 1001}) }, "daemon", OK, "", ""},
		{"OneIsOnlyNotWaitedFor", nil, func(f *Facts) { f.Processes = append(f.Processes, Process{PID: 7, UID: 1000, State: "Z"}) }, "daemon", OK, "", ""},
		{"UsersUnitEndsWithTheSession", nil, func(f *Facts) { f.Info.Setup.System = false; f.Units[0].User, f.Units[0].Lingering = true, LingerOff }, "unit", OK, "last session", "loginctl enable-linger"},
		{"UsersUnitStays", nil, func(f *Facts) { f.Info.Setup.System = false; f.Units[0].User, f.Units[0].Lingering = true, LingerOn }, "unit", OK, "enabled", ""},
		{"UnitWaitsForTheSocket", away(gone), func(f *Facts) { value("ActiveState", "inactive")(f); f.Units[0].Socket = "enabled" }, "unit", OK, "providerd.socket", ""},
		{"UnitIsNotEnabled", nil, value("UnitFileState", "disabled"), "unit", Warn, "boot", "sudo systemctl enable"},
		{"UnitIsAUsers", nil, func(f *Facts) { value("UnitFileState", "disabled")(f); f.Units[0].User = true }, "unit", Warn, "your own", "systemctl --user enable"},
		{"UnitWasChanged", nil, value("NeedDaemonReload", "yes"), "unit", Warn, "changed", "daemon-reload"},
		{"NoUnit", nil, func(f *Facts) { f.Units[0].Installed = false }, "unit", OK, "by hand", "service install"},
		{"NoUnitNorDaemon", away(gone), func(f *Facts) { f.Units[0].Installed = false }, "unit", Warn, "no service", "service install"},
		{"ManagerIsSilent", nil, func(f *Facts) { f.Units[0].Problem = "it did not answer in time" }, "unit", Skip, "in time", ""},
		{"OtherManager", away(gone), func(f *Facts) { f.Units = []Unit{{Manager: "service", Installed: true, Line: "providerd: stopped"}} }, "unit", Warn, "stopped", "service start"},
		{"FileWasChanged", nil, func(f *Facts) { f.File.Modified = now }, "configuration", Warn, "has changed since", "providerctl reload"},
		{"FileWouldBeRefused", nil, func(f *Facts) {
			f.File.Modified, f.File.Good, f.File.Said = now, false, "x.toml:3:4: no\n   3 | x\n     | ^"
		}, "configuration", Fail, "     | ^", "correct the file"},
		{"FileWasRemoved", nil, func(f *Facts) { f.File.Exists = false }, "configuration", Warn, "removed", "reload"},
		{"FileWasMade", nil, func(f *Facts) { f.Info.ConfigPath = "" }, "configuration", Warn, "there is one now at /etc", "reload"},
		{"FileIsNotReadable", nil, func(f *Facts) { f.File.Err, f.Info.Setup.Caller.Admin = "permission denied", false }, "configuration", OK, "/etc", ""},
		{"FileIsNotGoodBeforeTheStart", away(gone), func(f *Facts) { f.File.Good, f.File.Said = false, "x" }, "configuration", Fail, "has errors", "config check"},
		{"FileMayNotBeReadBeforeTheStart", away(gone), func(f *Facts) { f.File.Err = "permission denied" }, "configuration", OK, "may not read", "sudo providerctl doctor"},
		{"OwnFileCannotBeReadBeforeTheStart", away(gone), func(f *Facts) { f.File.Err, f.File.System = "permission denied", false }, "configuration", Fail, "permission denied", ""},
		{"NoFileBeforeTheStart", away(gone), func(f *Facts) { f.File.Exists = false }, "configuration", OK, "no file at", ""},
		{"WarningsWithoutAFile", away(gone), func(f *Facts) { f.File.Exists, f.File.Said = false, "OPENAI_API_KEY: the key is in quotes" }, "configuration", Warn, "in quotes", ""},
		{"FileNamesWhatMayNotBeRead", away(gone), func(f *Facts) {
			f.File.Good, f.File.Said, f.File.Foreign = false, "key file: permission denied", true
		}, "configuration", Warn, "not read every file", "sudo providerctl doctor"},
		{"WarningsOfAnotherEnvironment", away(gone), func(f *Facts) { f.File.Said, f.File.Foreign = "X is not set", true }, "configuration", OK, "", ""},
		{"WarningsBeforeTheStart", away(gone), func(f *Facts) { f.File.Said = "X is not set" }, "configuration", Warn, "X is not set", ""},
		{"NotCheckedBeforeTheStart", away(gone), func(f *Facts) { f.File.Checked = false }, "configuration", OK, "", "sudo providerd config check /etc"},
		{"Faults", nil, setup(func(s *provider.Setup) {
			s.Config.Faults, s.Config.Problems = 1, []provider.ConfigProblem{{ID: "p", Line: 4, Message: "key file: no such file", Excerpt: "   4 | x\n     | ^", Fix: "create it"}}
		}), "configuration", Fail, "line 4: key file", "create it"},
		{"FaultOfAKeyIsTheKeys", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "file /k", Problem: "key file: no such file"}
			s.Config.Faults, s.Config.Problems = 1, []provider.ConfigProblem{{ID: "openai", Line: 4, Message: "key file: no such file", Excerpt: "   4 | x\n     | ^"}}
		}), "configuration", OK, "", ""},
		{"WarningOfAVariableIsTheKeys", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "env K", Problem: "variable K: two lines"}
			s.Config.Warnings, s.Config.Problems = 1, []provider.ConfigProblem{{Message: "variable K: two lines: set it"}}
		}), "configuration", OK, "", ""},
		{"WarningOfAVariableIsTheKeysForOthersToo", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "env K", Problem: "variable K: two lines"}
			s.Config.Warnings, s.Caller.Admin = 1, false
		}), "configuration", OK, "", ""},
		{"SocketTellsWhyThoughAnotherRuns", away(gone), func(f *Facts) {
			f.Places = []Place{{Path: "/", Exists: true, Err: provider.Errorf(provider.DaemonUnreachable, "give it", "/ is not a socket")}}
			f.Processes = []Process{{PID: 7, UID: 1000}}
		}, "daemon", Skip, "pid 7", "providerctl --socket PATH"},
		{"FaultOfAKeyHasItsLine", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "file /k", Problem: "key file: no such file"}
			s.Config.Faults, s.Config.Problems = 1, []provider.ConfigProblem{{ID: "openai", Line: 4, Message: "key file: no such file", Excerpt: "   4 | x\n     | ^"}}
		}), "keys", Fail, "     | ^", "reload"},
		{"FaultOfAKeyIsTheKeysForOthersToo", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "file", Problem: "key file: no such file"}
			s.Config.Faults, s.Caller.Admin = 1, false
		}), "configuration", OK, "", ""},
		{"VariableCannotBeSent", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "env MY_KEY", Problem: "environment variable MY_KEY: the key has more than one line"}
		}), "keys", Fail, "more than one line", "add the line MY_KEY=KEY"},
		{"FaultsOfOthers", nil, setup(func(s *provider.Setup) { s.Config.Faults, s.Caller.Admin = 2, false }), "configuration", Fail, "2 files", "sudo providerctl doctor"},
		{"Warnings", nil, setup(func(s *provider.Setup) { s.Config.Warnings = 1 }), "configuration", Warn, "1 warning", ""},
		{"RestartNeeded", nil, setup(func(s *provider.Setup) { s.Config.RestartNeeded = []string{"socket (now S)"} }), "configuration", Warn, "socket (now S)", "service restart"},
		{"OldDaemonsConfiguration", nil, func(f *Facts) { f.Info.Setup = nil; f.File.Modified = now }, "configuration", OK, "/etc/providerd/providerd.toml", ""},
		{"KeyIsOdd", nil, func(f *Facts) {
			f.Info.Setup.Keys[0].Problem = "environment variable OPENAI_API_KEY: the key is in quotes: set it"
			f.Rows[0].State = provider.StateError
		}, "keys", Fail, "in quotes", ""},
		{"KeyIsOddAndGood", nil, setup(func(s *provider.Setup) { s.Keys[0].Problem = "the key is in quotes" }), "keys", Warn, "accepted", ""},
		{"KeyCannotBeRead", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "file", Problem: "key file: permission denied"}
		}), "keys", Fail, "permission denied", "reload"},
		{"KeyIsNotSet", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Problem: "OPENAI_API_KEY is not set"}
		}), "keys", Fail, "not set", "/etc/providerd/environment"},
		{"KeyIsInTheShell", nil, func(f *Facts) {
			f.Info.Setup.Keys[0] = provider.KeyInUse{ID: "openai", Problem: "OPENAI_API_KEY is not set"}
			f.KeysSet = map[string]bool{"OPENAI_API_KEY": true}
		}, "keys", Fail, "in your shell", "sudoedit /etc/providerd/environment"},
		{"StartedByHand", nil, func(f *Facts) {
			f.Units, f.Info.Version, f.Info.PID = nil, "v1.0.0", 1 // as it says
		}, "versions", Warn, "", "sudo kill 812, and start providerd as before"},
		{"NamesAreQuoted", nil, func(f *Facts) { f.Info.Setup.Caller.Admin, f.Group = false, Group{Name: "a; b"} }, "rights", OK, "", "usermod -aG 'a; b' $USER"},
		{"KeyForAUsersUnit", nil, func(f *Facts) {
			f.Info.Setup.System, f.Units[0].User = false, true
			f.Info.Setup.Keys[0] = provider.KeyInUse{ID: "openai", Problem: "OPENAI_API_KEY is not set"}
			f.KeysSet = map[string]bool{"OPENAI_API_KEY": true}
		}, "keys", Fail, "in your shell", "systemctl --user import-environment OPENAI_API_KEY"},
		{"DaemonHasNoProxy", nil, func(f *Facts) { f.Proxies = map[string]string{"HTTPS_PROXY": "http://p:1"} }, "proxies", Warn, "the daemon has none", "/etc/providerd/environment"},
		{"DaemonHasAProxy", nil, setup(func(s *provider.Setup) { s.Proxies = map[string]string{"HTTPS_PROXY": "http://p:1"} }), "proxies", OK, "the daemon's HTTPS_PROXY is http://p:1", ""},
		{"AnotherProxy", nil, func(f *Facts) {
			f.Proxies, f.Info.Setup.Proxies = map[string]string{"HTTPS_PROXY": "http://p:1"}, map[string]string{"HTTPS_PROXY": "http://q:1"}
		}, "proxies", Warn, "the daemon's http://q:1", ""},
		{"UnknownProxy", nil, setup(func(s *provider.Setup) { s.Proxies = map[string]string{"HTTPS_PROXY": "socks4://p:1"} }), "proxies", Fail, "socks4", ""},
		{"AllProxy", nil, setup(func(s *provider.Setup) { s.Proxies = map[string]string{"ALL_PROXY": "http://p:1"} }), "proxies", Warn, "ALL_PROXY is not read", ""},
		{"LoopbackThroughAProxy", away(gone), func(f *Facts) { f.Proxies = map[string]string{"HTTP_PROXY": "http://p:1", "NO_PROXY": ".corp"} }, "proxies", Warn, "NO_PROXY", `export NO_PROXY="${NO_PROXY:-$no_proxy}",localhost,`},
		{"LoopbackIsExcepted", away(gone), func(f *Facts) {
			f.Proxies = map[string]string{"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost, 127.0.0.0/8"}
		}, "proxies", OK, "", ""},
		{"ClockIsFree", nil, func(f *Facts) { f.Clock.Synchronised = false }, "clock", Warn, "not synchronised", "timedatectl"},
		{"ClockIsFreeAndRight", nil, func(f *Facts) { f.Clock.Synchronised, f.Ahead = false, map[string]time.Duration{"a": time.Second} }, "clock", OK, "agrees with 1 provider", ""},
		{"ClockIsTheHosts", nil, func(f *Facts) { f.Clock.Synchronised, f.Units = false, nil }, "clock", Skip, "does not report", ""},
		{"ClockIsUnknown", nil, func(f *Facts) { f.Clock.Known = false }, "clock", Skip, "does not report", ""},
		{"ClockIsBehind", nil, func(f *Facts) { f.Ahead = map[string]time.Duration{"a": time.Hour, "b": time.Hour, "c": 0} }, "clock", Fail, "60 min behind what 3 providers", "timedatectl"},
		{"ClockIsALittleAhead", nil, func(f *Facts) { f.Ahead = map[string]time.Duration{"a": -time.Minute, "b": -time.Minute} }, "clock", Warn, "60 s ahead of", ""},
		{"OneVendorsClockIsWrong", nil, func(f *Facts) { f.Ahead = map[string]time.Duration{"a": time.Hour, "b": 0, "c": 0} }, "clock", OK, "synchronised", ""},
		{"TheOnlyVendorsClockMayBeWrong", nil, func(f *Facts) { f.Ahead = map[string]time.Duration{"a": time.Hour} }, "clock", Warn, "behind", ""},
		{"ClockWasSet", nil, setup(func(s *provider.Setup) { s.ClockJumpedMS = -3600_000 }), "clock", Warn, "set back by 60 min", ""},
		{"DiskIsFull", nil, func(f *Facts) { f.Disk.Free = 1e6 }, "disk", Fail, "1 MB free", "df -h /var/lib/providerd"},
		{"DiskIsLow", nil, func(f *Facts) { f.Disk.Free = 100e6 }, "disk", Warn, "100 MB", "df -h"},
		{"NoInodes", nil, func(f *Facts) { f.Disk.Inodes = 3 }, "disk", Fail, "3 inodes", "df -i"},
		{"InodesAreNotCounted", nil, func(f *Facts) { f.Disk.Inodes, f.Disk.AllNodes = 0, 0 }, "disk", OK, "free", ""},
		{"DiskIsReadOnly", away(gone), func(f *Facts) { f.Disk.ReadOnly = true }, "disk", Fail, "read-only", "findmnt -T"},
		{"DiskHangs", away(late), func(f *Facts) { f.Disk = Disk{Folder: "/x", Hangs: true} }, "disk", Fail, "does not answer", "dmesg"},
		{"FolderIsNotSafe", away(gone), func(f *Facts) {
			f.Disk.Refused = provider.Errorf(provider.Internal, "have nobody else write in it", "/x can be written by everybody")
		}, "disk", Fail, "/x can be written by everybody", "nobody else"},
		{"DiskIsUnknown", nil, func(f *Facts) { f.Disk = Disk{Folder: "/x"} }, "disk", Skip, "cannot be looked at", ""},
		{"DaemonIsOlder", nil, func(f *Facts) { f.Info.Version = "v1.0.0" }, "versions", Warn, "is still v1.0.0", "service restart"},
		{"ProviderctlIsAnother", nil, func(f *Facts) { f.Mine = "v2.0.0" }, "versions", Warn, "providerctl v2.0.0", "one release"},
		{"BesideIsAnother", away(gone), func(f *Facts) { f.Beside.Version = "v2.0.0" }, "versions", Warn, "beside it v2.0.0", "one release"},
		{"BesideIsNotTrusted", away(gone), func(f *Facts) { f.Beside = Beside{Path: "/x", Problem: "/x can be written by everybody"} }, "versions", Skip, "by everybody", ""},
		{"ProviderNeedsAPerson", nil, row(provider.Status{ID: "p", State: provider.StateError, Reason: provider.Unauthorized, Detail: "401", Hint: "set it"}), "p", Fail, "ERROR (unauthorized): 401", "set it"},
		{"ProviderIsStopped", nil, row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.ConnectionRefused, Hint: "start it: ollama serve"}), "p", Warn, "STOPPED", "ollama serve"},
		{"ProviderIsStoppedThatNoFileNames", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.ConnectionRefused, Hint: "start it"})(f)
			f.Info.Setup.Detected = []string{"p"}
		}, "p", Skip, "connection_refused", "start it"},
		{"ProviderHangsThatNoFileNames", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateDegraded, Reason: provider.Hung, Hint: "restart it"})(f)
			f.Info.Setup.Detected = []string{"p"}
		}, "p", Warn, "hung", "restart it"},
		{"ProviderIsPaused", nil, row(provider.Status{ID: "p", State: provider.StateRunning, Reason: provider.OK, Paused: true}), "p", Warn, "paused", "providerctl resume p"},
		{"ProviderIsLimited", nil, row(provider.Status{ID: "p", State: provider.StateDegraded, Reason: provider.RateLimited, RetryAt: provider.Time{Time: now.Add(time.Minute)}}), "p", OK, "rate_limited", ""},
		{"ProviderIsOld", nil, row(provider.Status{ID: "p", State: provider.StateRunning, Reason: provider.OK, Stale: true}), "p", Warn, "not checked lately", ""},
		{"ProviderWithoutAKeyThatNoFileNames", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.NoCredentials, Hint: "set it"})(f)
			f.Info.Setup.Keys = []provider.KeyInUse{{ID: "p", Problem: "P_KEY is not set", Detected: true}}
		}, "p", Skip, "no_credentials", "set it"},
		{"ProviderWithoutAKeyIsTheKeys", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.NoCredentials})(f)
			f.Info.Setup.Keys = []provider.KeyInUse{{ID: "p", Problem: "P_KEY is not set"}}
		}, "p", Warn, "no_credentials", "see keys"},
		{"KeyWithoutAService", nil, func(f *Facts) {
			f.Info.Setup.Keys[0] = provider.KeyInUse{ID: "openai", Problem: "OPENAI_API_KEY is not set"}
			f.Units = nil
		}, "keys", Fail, "not set", "where providerd is started"},
		{"AnothersConfiguration", away(refused), func(f *Facts) { f.Places[1].Err, f.File.System = refused, false }, "configuration", Skip, "another user", ""},
		{"NobodyAskedForIt", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.NoCredentials})(f)
			f.Info.ConfigPath, f.File.Exists = "", false
		}, "p", Skip, "no_credentials", ""},
		{"NoneRunsOfThoseLookedFor", nil, func(f *Facts) {
			row(provider.Status{ID: "p", State: provider.StateStopped, Reason: provider.ConnectionRefused})(f)
			f.Info.ConfigPath, f.File.Exists = "", false
		}, "providers", Warn, "none runs", "providerd config init --write"},
		{"NotCheckedYet", nil, row(provider.Status{ID: "p", State: provider.StateUnknown, Reason: provider.NotChecked, Stale: true, Hint: "wait"}), "p", Warn, "UNKNOWN (not_checked)", "wait"},
		{"ReloadWasRefused", nil, setup(func(s *provider.Setup) { s.Config.ReloadRefused = true }), "configuration", Warn, "last reload was refused", "see why: providerctl reload"},
		{"FaultOfAKeyHasItsWay", nil, setup(func(s *provider.Setup) {
			s.Keys[0] = provider.KeyInUse{ID: "openai", Source: "file /k", Problem: "key file: no such file"}
			s.Config.Faults, s.Config.Problems = 1, []provider.ConfigProblem{{ID: "openai", Message: "key file: no such file", Fix: "create it, or correct the path"}}
		}), "keys", Fail, "", "create it, or correct the path"},
		{"NoProvider", nil, func(f *Facts) { f.Rows = nil }, "providers", Warn, "none", "discover"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.facts
			if f == nil {
				f = well()
			}
			if tt.change != nil {
				tt.change(f)
			}
			of := findings(Examine(f), tt.subject)
			for _, found := range of {
				said, fix := found.Summary+"\n"+strings.Join(found.Details, "\n"), strings.Join(found.Fix, "\n")
				if found.Level == tt.level && strings.Contains(said, tt.says) && strings.Contains(fix, tt.fix) && (tt.fix != "" || tt.level != OK || fix == "") {
					return
				}
			}
			t.Errorf("%s: want %s with %q and %q to type; got %+v", tt.subject, tt.level, tt.says, tt.fix, of)
		})
	}
}

// The page for operators names every subject.
func TestChecks_AreInTheDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	f := well()
	f.Rows, f.Units[0].Values["DropInPaths"], f.Fleet = nil, "/o.conf", member()
	all := Examine(f)
	if len(all) < len(checks) {
		t.Fatalf("only %d findings of %d checks", len(all), len(checks))
	}
	for _, found := range all {
		if !strings.Contains(string(page), "`"+found.Subject+"`") && found.Subject != "providers" {
			t.Errorf("docs/operations.md does not name %s", found.Subject)
		}
	}
}

// What is stuck is not killed where it only has to go on, and a key that nobody asked for
// is no problem.
func TestExamine_SaysNoMore(t *testing.T) {
	f := away(late)
	f.Processes[0].State = "T"
	if fix := findings(Examine(f), "daemon")[0].Fix; len(fix) != 1 {
		t.Errorf("of a process that is stopped: %v", fix)
	}
	f = well()
	f.Info.Setup.Keys = []provider.KeyInUse{{ID: "openai", Problem: "OPENAI_API_KEY is not set"}}
	f.Info.ConfigPath, f.File.Exists = "", false
	if of := findings(Examine(f), "keys"); of != nil {
		t.Errorf("of the key of a provider that is looked for everywhere: %+v", of)
	}
	f = away(refused)
	f.Places[1].Err = refused
	if all := Examine(f); Count(all, Fail) != 1 {
		t.Errorf("a socket that may not be opened is %d problems: %+v", Count(all, Fail), all)
	}
}

// Whatever is not known, no check fails to return.
func TestExamine_NothingIsKnown(t *testing.T) {
	Examine(&Facts{})
	Examine(&Facts{Info: &provider.DaemonInfo{}})
	Examine(&Facts{InfoErr: gone, Places: []Place{{}}, Units: []Unit{{}, {Installed: true}, {Installed: true, Manager: "systemd"}}})
}
