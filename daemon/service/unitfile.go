package service

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unitName is the file of the system's unit.
const unitName = "providerd.service"

// unitFolders are where systemd finds units, the first that has one wins. Source:
// systemd.unit(5), "Unit File Load Path".
var unitFolders = []string{
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
}

// UnitSettings are those of the section [Service] of the system's unit with all its
// drop-ins, as files on the disk have them; nil if there is no unit. Each has its values,
// without those before an empty one, which resets it. The root folder is for tests.
func UnitSettings(root string) map[string][]string {
	main := ""
	dropIns := map[string]string{} // by name: one masks those of later folders
	for _, folder := range unitFolders {
		folder = filepath.Join(root, folder)
		if path := filepath.Join(folder, unitName); main == "" && isPlain(path) {
			main = path
		}
		for _, of := range []string{unitName, "service"} {
			files, _ := filepath.Glob(filepath.Join(folder, of+".d", "*.conf"))
			for _, path := range files {
				if name := filepath.Base(path); dropIns[name] == "" {
					dropIns[name] = path
				}
			}
		}
	}
	if main == "" {
		return nil
	}
	settings := map[string][]string{}
	readUnit(main, settings)
	for _, name := range slices.Sorted(maps.Keys(dropIns)) {
		readUnit(dropIns[name], settings)
	}
	return settings
}

// isPlain reports whether there is a file to read: no mask, which is a link to /dev/null,
// and no pipe.
func isPlain(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readUnit adds what a file sets. What cannot be read sets nothing.
func readUnit(path string, settings map[string][]string) {
	const most = 1 << 20
	if !isPlain(path) {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, most))
	section := ""
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(line, "["):
			section = line
		case line == "" || line[0] == '#' || line[0] == ';' || !ok || section != "[Service]":
		case value == "":
			delete(settings, name)
		default:
			settings[name] = append(settings[name], value)
		}
	}
}
