package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/service"
)

// maxServiceLog is the size, in bytes, above which a start begins a new log.
const maxServiceLog = 10 << 20

// underManager runs the daemon as a service, if Windows started it as one. A service has
// no standard error: its log is a file beside the database.
func underManager(o daemon.Options) (ran bool, err error) {
	if !service.UnderManager() {
		return false, nil
	}
	log, err := serviceLog(filepath.Join(config.DefaultStateDir(o.Env), "providerd.log"))
	if err != nil {
		return true, err
	}
	defer log.Close()
	o.LogTo, o.LogJSON, o.FirstSweep = log, true, nil
	return true, service.Run(func(ctx context.Context) error { return daemon.Run(ctx, o) }, os.Exit)
}

func serviceLog(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxServiceLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("begin a new log: %w", err)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return f, nil
}
