package examine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
)

// processes are the daemons that run, as far as /proc shows those of others. A providerd
// that does something else, such as to check a configuration, has a command.
func processes() (all []doctor.Process) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(stat), "(providerd)") {
			continue
		}
		dir := filepath.Dir(file)
		pid, _ := strconv.Atoi(filepath.Base(dir))
		info, err := os.Stat(dir)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !isDaemon(string(line)) {
			continue
		}
		if !isHere(dir) {
			continue
		}
		all = append(all, doctor.Process{PID: pid, UID: ownerOf(info), State: stateIn(string(stat)), Socket: listensAt(dir)})
	}
	return all
}

// isHere reports whether a process is in no container that this one is not in, as far as
// that is shown.
func isHere(dir string) bool {
	its, err := os.Readlink(dir + "/ns/pid")
	own, _ := os.Readlink("/proc/self/ns/pid")
	return err != nil || its == own
}

// listensAt is the control socket at which a process listens; empty if that is not shown.
// It is the one whose name ends as they do, of those that the process holds open.
func listensAt(dir string) string {
	files, _ := os.ReadDir(dir + "/fd")
	held := map[string]bool{}
	for _, f := range files[:min(len(files), 4096)] {
		if to, err := os.Readlink(dir + "/fd/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:[") {
			held[strings.Trim(to, "socket:[]")] = true
		}
	}
	if len(held) == 0 {
		return ""
	}
	text, _ := os.ReadFile(dir + "/net/unix")
	return socketIn(string(text), held)
}

// socketIn reads proc_net(5), unix.
func socketIn(text string, held map[string]bool) string {
	const flags, listening, inode, name = 3, "00010000", 6, 7 // __SO_ACCEPTCON
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) <= name || fields[flags] != listening || !held[fields[inode]] || !filepath.IsAbs(fields[name]) {
			continue
		}
		_, path, _ := strings.Cut(line, " "+fields[inode]+" ") // it may have blanks
		return strings.TrimSuffix(path, "\n")
	}
	return ""
}

// isDaemon reports whether a command line is the daemon's: it has flags alone. One that is
// hidden, or a zombie's, may be.
func isDaemon(line string) bool {
	words := strings.Split(strings.TrimRight(line, "\x00"), "\x00")
	for i := 1; i < len(words); i++ {
		switch {
		case !strings.HasPrefix(words[i], "-"):
			return false
		case strings.Contains(words[i], "=") || words[i] == "--system" || words[i] == "--log-json":
		default:
			i++ // its value
		}
	}
	return true
}

// stateIn reads proc_stat(5): the state follows the name, which may hold anything.
func stateIn(stat string) string {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}
