// Command leftout runs `go test` and prints at its end what was left out, why, and how
// to run that too. `go test ./...` alone cannot: it shows nothing that a passing test
// prints.
//
//	go run ./packaging/leftout                # go test ./...
//	go run ./packaging/leftout -race ./store  # go test's own flags and packages
//
// Its exit code is 0 if all tests passed, otherwise 1.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"./..."}
	}
	if err := run(args); err != nil {
		fmt.Fprintln(os.Stderr, "leftout:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	test := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	test.Stderr = os.Stderr
	events, err := test.StdoutPipe()
	if err != nil {
		return err
	}
	if err := test.Start(); err != nil {
		return err
	}
	skipped, readErr := follow(events, os.Stdout)
	if err := errors.Join(readErr, test.Wait()); err != nil {
		return err
	}
	return skipped.print(os.Stdout)
}
