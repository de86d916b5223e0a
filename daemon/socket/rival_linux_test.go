package socket_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/providerd/providerd/daemon/socket"
)

const rivalVariable = "PROVIDERD_TEST_RIVAL"

func TestMain(m *testing.M) {
	if os.Getenv(rivalVariable) != "" {
		playRival()
		return
	}
	os.Exit(m.Run())
}

// playRival takes each path on standard input as soon as a socket is there, like a process
// that found it refusing connections, but faster.
func playRival() {
	for paths := bufio.NewScanner(os.Stdin); paths.Scan(); {
		path := paths.Text()
		if _, err := net.ListenUnix("unix", &net.UnixAddr{Name: path + ".new", Net: "unix"}); err != nil {
			panic(err)
		}
		if err := os.Chmod(path+".new", 0o600); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		for exists := false; !exists; {
			_, err := os.Lstat(path)
			exists = err == nil
		}
		if err := os.Rename(path+".new", path); err != nil {
			panic(err)
		}
		fmt.Println("taken")
	}
}

// Whoever loses its path to another process between bind and the look at the new file
// does not take the other's socket for its own.
func TestListen_ARivalTakesThePath(t *testing.T) {
	rival := exec.Command("/proc/self/exe")
	rival.Env = append(os.Environ(), rivalVariable+"=1")
	in, err := rival.StdinPipe()
	must(t, err)
	out, err := rival.StdoutPipe()
	must(t, err)
	must(t, rival.Start())
	t.Cleanup(func() {
		in.Close()
		_ = rival.Wait()
	})
	says := bufio.NewScanner(out)
	refused := 0
	dir := filepath.Dir(socketPath(t))
	mkdir(t, dir, 0o700)
	for i := range 200 {
		path := filepath.Join(dir, fmt.Sprint(i))
		_, err := fmt.Fprintln(in, path)
		must(t, err)
		says.Scan()
		l, err := socket.Listen(path, 0o600)
		if says.Scan(); says.Text() != "taken" {
			t.Fatalf("the rival says %q", says.Text())
		}
		if err != nil {
			refused++
			continue
		}
		if l.Lost() == nil {
			t.Fatal("it takes the rival's socket for its own")
		}
		l.Close()
		if _, err := os.Lstat(path); err != nil {
			t.Fatalf("it removes the rival's: %v", err)
		}
	}
	t.Logf("%d of 200 were refused at once", refused)
}
