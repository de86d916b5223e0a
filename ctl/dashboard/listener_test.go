package dashboard_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/ctl/dashboard"
)

// A large answer may take longer than the patience with its reader, as long as the reader
// takes some of it.
func TestCaller_PatienceIsWithEachPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 10 * time.Second
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		c := dashboard.NewCaller(here, patience)
		answer := strings.Repeat("0123456789abcdef", 8<<10)
		written := make(chan error)
		go func() {
			n, err := io.WriteString(c, answer)
			if err == nil && n != len(answer) {
				t.Errorf("wrote %d", n)
			}
			written <- err
		}()
		var taken []byte
		for part := make([]byte, 16<<10); len(taken) < len(answer); {
			time.Sleep(patience - time.Second)
			n, err := io.ReadFull(there, part)
			if err != nil {
				t.Fatal(err)
			}
			taken = append(taken, part[:n]...)
		}
		if err := <-written; err != nil || string(taken) != answer {
			t.Errorf("%v after %d bytes", err, len(taken))
		}

		began := time.Now()
		_, err := io.WriteString(c, answer)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != patience {
			t.Errorf("nobody reads: %v after %v", err, time.Since(began))
		}
	})
}
