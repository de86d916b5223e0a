package examine

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/trust"
)

// beside finds the providerd in this program's own folder, and asks for its version. It is
// run only if nobody but root and the caller can have put it there.
func (s *Scene) beside(ctx context.Context) doctor.Beside {
	own, err := os.Executable()
	if err == nil {
		own, err = filepath.EvalSymlinks(own)
	}
	if err != nil {
		return doctor.Beside{}
	}
	name := "providerd"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return s.besideIn(ctx, filepath.Join(filepath.Dir(own), name))
}

func (s *Scene) besideIn(ctx context.Context, path string) doctor.Beside {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return doctor.Beside{}
	}
	b := doctor.Beside{Path: path}
	if path, err = trust.Resolve(path, trust.Check); err != nil {
		b.Problem = err.Error()
		return b
	}
	out, _, code, err := s.run(ctx, path, "version")
	switch fields := strings.Fields(out); {
	case err != nil:
		b.Problem = err.Error()
	case code != 0 || len(fields) < 2 || fields[0] != "providerd":
		b.Problem = "it does not say which version it is"
	default:
		b.Version = fields[1]
	}
	return b
}
