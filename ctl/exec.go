package ctl

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/providerd/providerd/store/provider"
)

// What shells, env(1) and timeout(1) exit with if a program cannot be run.
const (
	exitCannotRun = 126
	exitNoProgram = 127
)

// exited is the exit code of a program that ran in this one's place, or could not be run.
// Nothing more is printed.
type exited int

func (e exited) Error() string { return "exit status " + strconv.Itoa(int(e)) }

// exec runs a program in place of this one, for a command, and returns how it ended.
func (a *app) exec(command string, argv, environ []string) error {
	run := a.Exec
	if run == nil {
		run = Exec
	}
	code, err := run(argv, environ)
	if err != nil {
		why := err.Error()
		if _, missing := os.Stat(argv[0]); code == exitNoProgram && missing == nil && filepath.IsAbs(argv[0]) {
			why = "its interpreter does not exist" // on which the system blames the program
		}
		a.say("%s: %s: %s", command, provider.Printable(argv[0]), provider.Printable(why))
	}
	return exited(code)
}
