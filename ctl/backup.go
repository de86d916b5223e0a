package ctl

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) backupCommand() *command.Command {
	var force bool
	cmd := &command.Command{
		Use:        "backup FILE",
		Short:      "Save a copy of the daemon's database",
		SuggestFor: []string{"save", "dump"},
		Long: `Save a copy of the daemon's database while the daemon runs. FILE appears only when
it is complete and on the disk; - is standard output.

To restore it, stop the daemon, replace the database that info names with FILE, owned
by the daemon's user, and start the daemon.`,
		Example: `  sudo providerctl backup /var/backups/providerd.db --force
  providerctl backup - | zstd >providerd.db.zst`,
		Args:     args(1, 1),
		Complete: completeOneFile,
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	cmd.Run = func(_ *command.Command, files []string) error {
		if files[0] == "-" {
			return a.backupToStdout(a.interruptible(true))
		}
		return a.backup(a.interruptible(true), files[0], force)
	}
	return cmd
}

func (a *app) backupToStdout(ctx context.Context) error {
	if a.term.shown {
		return usage("name a file, or: providerctl backup - >FILE", "backup: a database is not shown on a terminal")
	}
	n, err := a.client.Backup(ctx, a.bytes)
	if errors.Is(err, syscall.EPIPE) {
		return errors.New("backup: standard output was closed before the end") // not a success here
	}
	if err == nil {
		a.say("backed up the database: %s", size(n))
	}
	return err
}

// backup writes to a temporary file beside path first, so that path is always complete.
func (a *app) backup(ctx context.Context, path string, force bool) (err error) {
	if err := mayReplace(path, force); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // 0600
	if err != nil {
		return cannotWrite(filepath.Dir(path), err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	n, err := a.client.Backup(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := mayReplace(path, force); err != nil { // it may exist by now
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	syncFolder(filepath.Dir(path))
	a.say("backed up the database to %s: %s", path, size(n))
	return nil
}

// cannotWrite is the error for a folder that cannot be written to.
func cannotWrite(folder string, err error) error {
	hint := "name a file in a folder that you may write to"
	if errors.Is(err, fs.ErrNotExist) {
		hint = "create the folder, or name another: mkdir -p " + folder
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // its path is that of a temporary file
	}
	return provider.Errorf("", hint, "backup: cannot write to %s: %v", folder, err)
}

// mayReplace refuses a file that exists, unless force is set. It always refuses what is
// not a plain file.
func mayReplace(path string, force bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return usage("name a file in it: providerctl backup "+filepath.Join(path, "providerd.db"), "backup: %s is a folder", path)
	case !info.Mode().IsRegular():
		return usage("name another file", "backup: %s is not a plain file", path)
	case !force:
		return usage("name another file, or replace it: providerctl backup --force "+path, "backup: %s already exists", path)
	}
	return nil
}

// syncFolder makes the rename survive a power cut, if the system can sync a folder.
// If not, the file is complete under one of its two names.
func syncFolder(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
