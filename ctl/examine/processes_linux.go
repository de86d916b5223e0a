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
		all = append(all, doctor.Process{PID: pid, UID: ownerOf(info), State: stateIn(string(stat))})
	}
	return all
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
