package dashboard

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const (
	// browserTime is how long a browser may take to come before the address is printed.
	browserTime = 3 * time.Second
	// fileTime is how long the file waits after that for a browser that starts slowly.
	fileTime = time.Minute
)

// A system has what opening a browser depends on.
type system struct {
	goos   string
	euid   int
	getenv func(string) string
	look   func(program string) (path string, err error)
}

func thisSystem(getenv func(string) string) system {
	return system{goos: runtime.GOOS, euid: os.Geteuid(), getenv: getenv, look: exec.LookPath}
}

// noBrowser is why no browser can be started, and what to do instead; empty if one can.
func (s system) noBrowser() string {
	switch {
	case s.euid == 0:
		return "no browser should run as root, and no other user's may open this dashboard: start it as yourself"
	case s.hasScreens() && s.getenv("DISPLAY") == "" && s.getenv("WAYLAND_DISPLAY") == "":
		return "there is no screen to start a browser on: open this address yourself"
	}
	opener := s.opener("")[0]
	if _, err := s.look(opener); err != nil {
		return "the program " + opener + " is not installed: open this address yourself"
	}
	return ""
}

// hasScreens reports whether environment variables decide on which screen windows open.
func (s system) hasScreens() bool { return s.goos != "darwin" && s.goos != "windows" }

// opener is the command that opens a file in the person's browser.
func (s system) opener(file string) []string {
	switch s.goos {
	case "darwin":
		return []string{"open", file}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", file}
	}
	return []string{"xdg-open", file}
}

// invitation redirects without a script: some browsers run none from a file.
var invitation = template.Must(template.New("invitation").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={{.}}">
<title>providerd</title></head>
<body><p><a href="{{.}}" rel="noreferrer">Open the dashboard</a></p></body>
</html>
`))

// writeInvitation writes a file that redirects to url, and that only this user can read. Remove
// removes the file and its folder.
func (s system) writeInvitation(url string) (file string, remove func(), err error) {
	dir, err := s.ownFolder()
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the file that opens the browser: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	var text bytes.Buffer
	_ = invitation.Execute(&text, url) // the template cannot fail with this data
	file = filepath.Join(dir, "dashboard.html")
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.Write(text.Bytes())
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("write the file that opens the browser: %w", err)
	}
	return file, remove, nil
}

// ownFolder makes a folder with mode 0700: in the runtime folder, or if that is not there or
// not ours, as after su, in the temporary folder.
func (s system) ownFolder() (string, error) {
	const pattern = "providerctl-dashboard-*"
	if runtimeDir := s.getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtimeDir) {
		if dir, err := os.MkdirTemp(runtimeDir, pattern); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", pattern)
}

// start starts the opener. That can be the browser itself, and then runs as long. The result
// gets the error if it could not be started or failed, and otherwise nothing.
func (s system) start(file string) (failed <-chan error) {
	argv := s.opener(file)
	result := make(chan error, 1)
	cmd := exec.Command(argv[0], argv[1:]...)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		result <- err
		return result
	}
	// Nothing waits for this goroutine: the browser may outlive the dashboard.
	go func() {
		if err := cmd.Wait(); err != nil {
			result <- fmt.Errorf("%s: %w", argv[0], err)
		}
	}()
	return result
}
