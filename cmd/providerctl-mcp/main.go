// Command providerctl-mcp offers the daemon's answers to agents, over the Model Context
// Protocol. Agents run it as providerctl mcp.
package main

import (
	"context"
	"os"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/mcp"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	os.Exit(ctl.MainBeside(context.Background(), ctl.Process(version), mcp.Command))
}
