package userns

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// insideVariable makes this program report from inside a user namespace instead of running
// tests.
const insideVariable = "PROVIDERD_TEST_USERNS"

func TestMain(m *testing.M) {
	switch os.Getenv(insideVariable) {
	case "":
		os.Exit(m.Run())
	case "nobody is unknown":
		if KnownUser(usualOverflow) || KnownGroup(usualOverflow) || !KnownUser(0) || !KnownGroup(0) {
			os.Exit(1)
		}
	case "everybody is known":
		if !KnownUser(usualOverflow) || !KnownGroup(usualOverflow) {
			os.Exit(1)
		}
	}
}

// The test uses new user namespaces, each with a different map.
func TestKnown_InANamespace(t *testing.T) {
	uid, gid := os.Getuid(), os.Getgid()
	all := []syscall.SysProcIDMap{{Size: everybody}}
	for _, tt := range []struct {
		name, says string
		users      []syscall.SysProcIDMap
		groups     []syscall.SysProcIDMap
		rootOnly   bool
	}{
		{"OneUser", "nobody is unknown", []syscall.SysProcIDMap{{HostID: uid, Size: 1}}, []syscall.SysProcIDMap{{HostID: gid, Size: 1}}, false},
		{"NobodyMapped", "nobody is unknown", []syscall.SysProcIDMap{{HostID: uid, Size: 70_000}}, []syscall.SysProcIDMap{{HostID: gid, Size: 70_000}}, true},
		{"All", "everybody is known", all, all, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rootOnly && uid != 0 {
				t.Skip("only root may map more than one user")
			}
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), insideVariable+"="+tt.says)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags: syscall.CLONE_NEWUSER, UidMappings: tt.users, GidMappings: tt.groups,
			}
			if err := cmd.Start(); err != nil {
				t.Skipf("no user namespace can be made here: %v", err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("not %s: %v", tt.says, err)
			}
		})
	}
}

func TestRead_WhereProcLacksTheMap(t *testing.T) {
	proc := t.TempDir()
	if m := read(proc, "uid"); m.known(usualOverflow) || !m.known(0) {
		t.Errorf("without /proc: %+v", m)
	}
	if err := os.Mkdir(filepath.Join(proc, "self"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(proc, "self", "status"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if m := read(proc, "uid"); !m.known(usualOverflow) {
		t.Errorf("a kernel without user namespaces: %+v", m)
	}
}
