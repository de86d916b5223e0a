// Command providerctl asks providerd which AI model providers can be used now.
package main

import (
	"context"
	"os"

	"github.com/providerd/providerd/ctl"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version string

func main() { os.Exit(ctl.Main(context.Background(), ctl.Process(version))) }
