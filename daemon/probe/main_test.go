package probe_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/grpclog"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(theatreOf); kind != "" {
		if err := serveAsTheatre(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)) // as the daemon does
	goleak.VerifyTestMain(m)
}
