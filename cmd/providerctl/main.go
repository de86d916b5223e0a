// Command providerctl asks providerd which AI model providers can be used now.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/providerd/providerd/ctl"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	os.Exit(ctl.Main(context.Background(), ctl.Env{
		Args:          os.Args[1:],
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		Getenv:        os.Getenv,
		Version:       version,
		Interruptible: interruptible,
	}))
}

// interruptible returns a context that a signal ends. A second one ends the process.
func interruptible(ctx context.Context) context.Context {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}
