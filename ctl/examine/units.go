package examine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
)

// asked are the properties that the doctor looks at. Environment is not among them: it may
// hold keys.
const asked = "LoadState,LoadError,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,NRestarts,NeedDaemonReload," +
	"MainPID,FragmentPath,DropInPaths,Type,NotifyAccess,LoadCredential,EnvironmentFiles,RuntimeDirectory,StateDirectory," +
	"PrivateUsers,PrivateNetwork,IPAddressDeny"

// units asks the service manager, for the machine's and for the caller's own.
func (s *Scene) units(ctx context.Context) (all []doctor.Unit) {
	if !exists("/run/systemd/system") {
		return nil
	}
	all = append(all, s.unit(ctx, false))
	if os.Getuid() != 0 && s.Getenv("XDG_RUNTIME_DIR") != "" {
		if own := s.unit(ctx, true); own.Installed {
			own.Lingering = lingering(s.Getenv("USER"))
			all = append(all, own)
		}
	}
	return all
}

// service asks another manager than systemd, through the providerd beside this program.
func (s *Scene) service(ctx context.Context, b doctor.Beside) []doctor.Unit {
	if b.Path == "" || b.Problem != "" {
		return nil
	}
	out, _, code, err := s.run(ctx, b.Path, "service", "status")
	if line := strings.TrimSpace(out); err == nil && line != "" {
		return []doctor.Unit{{Manager: "service", Line: line, Running: code == 0, Installed: true}}
	}
	return nil
}

// unit asks systemd for one unit.
func (s *Scene) unit(ctx context.Context, user bool) doctor.Unit {
	u := doctor.Unit{Manager: "systemd", User: user}
	var whose []string
	if user {
		whose = []string{"--user"}
	}
	out, complaint, code, err := s.run(ctx, "systemctl", append(whose, "show", "providerd.service", "--no-pager", "--property="+asked)...)
	switch {
	case err != nil:
		u.Problem = "systemctl: " + err.Error()
		return u
	case code != 0:
		u.Problem = strings.TrimSpace("systemctl: " + complaint)
		return u
	}
	u.Values = properties(out)
	if u.Installed = u.Values["LoadState"] != "not-found"; !u.Installed {
		return u
	}
	if text, err := within(func() ([]byte, error) { return smallFile(u.Values["FragmentPath"]) }); err == nil {
		u.Fragment = "\n" + string(text)
	}
	out, _, _, _ = s.run(ctx, "systemctl", append(whose, "show", "providerd.socket", "--no-pager", "--property=UnitFileState")...)
	u.Socket = properties(out)["UnitFileState"]
	if u.Values["ActiveState"] != "active" {
		out, _, _, _ = s.run(ctx, "journalctl", append(whose, "--unit=providerd.service", "--lines=5", "--no-pager", "--quiet", "--output=cat")...)
		if user {
			out, _, _, _ = s.run(ctx, "journalctl", "--user-unit=providerd.service", "--lines=5", "--no-pager", "--quiet", "--output=cat")
		}
		u.Journal = strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
	}
	return u
}

// lingering asks whether a user's services run while that user is logged out. Source:
// systemd, src/login/user-util and tmpfiles: a file of the user's name.
func lingering(user string) doctor.Linger {
	const folder = "/var/lib/systemd/linger/"
	users, _ := os.ReadFile("/etc/passwd")
	user = cmp.Or(nameOf(string(users), os.Getuid()), user)
	switch _, err := os.Lstat(folder + user); {
	case user == "" || strings.Contains(user, "/"):
		return doctor.LingerUnknown
	case err == nil:
		return doctor.LingerOn
	case errors.Is(err, fs.ErrNotExist):
		return doctor.LingerOff
	}
	return doctor.LingerUnknown
}

// smallFile reads the beginning of a file, as much as a unit may have.
func smallFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fs.ErrInvalid
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, mostOutput))
}

// properties reads what "systemctl show" prints. A setting may come in several lines.
func properties(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch {
		case !ok:
		case values[name] != "":
			values[name] += " " + value
		default:
			values[name] = value
		}
	}
	return values
}
