// Command providerctl-top shows the status of all providers on the full screen. People run
// it as providerctl top.
package main

import (
	"context"
	"os"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/top"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	os.Exit(ctl.MainBeside(context.Background(), ctl.Process(version), top.Command))
}
