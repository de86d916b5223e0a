// Command providerctl-dashboard shows the dashboard in a browser. People run it as providerctl
// dashboard.
package main

import (
	"context"
	"os"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/dashboard"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	os.Exit(ctl.MainBeside(context.Background(), ctl.Process(version), dashboard.New(version)))
}
