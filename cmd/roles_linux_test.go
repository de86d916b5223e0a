package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The users of these tests need no entry in /etc/passwd.
const (
	daemonUID = 60_010
	otherUID  = 60_666
	readerUID = 60_700
	adminGID  = 60_050
)

// needRoot skips a test that has to become other users. If every promise is to be checked,
// that is a failure.
func needRoot(t testing.TB) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("only root can become another user: run the tests as root")
	default:
		t.Skip("only root can become another user")
	}
}

// roleVariable names the part that this program plays instead of running tests.
const roleVariable = "PROVIDERD_TEST_ROLE"

// play runs a part in a process of another user, and reports whether there was one. Its
// task comes as JSON on standard input, which ends with the test.
func play(role string) bool {
	switch role {
	case "":
		return false
	case "ask":
		playAsk()
	case "read":
		playRead()
	case "fetch":
		playFetch()
	case "flood":
		playFlood()
	case "pretend":
		playPretend()
	case "hang":
		playHang()
	case "swap":
		playSwap()
	case "ollama":
		playOllama()
	case "serve":
		playServe()
	case "eavesdrop":
		playEavesdrop()
	default:
		panic("no such part: " + role)
	}
	return true
}

// A user is the user that a process runs as.
type user struct {
	uid, gid uint32
	groups   []uint32
}

// alone is a user in a group of their own.
func alone(uid uint32) user { return user{uid: uid, gid: uid} }

func (u user) become(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: u.uid, Gid: u.gid, Groups: u.groups}}
}

// part is this program, about to play a role as u. It is run through /proc, because its
// folder is closed to others.
func (u user) part(role string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	u.become(cmd)
	return cmd
}

// ask plays a part to its end and decodes its output.
func ask[Reply, Task any](t testing.TB, u user, role string, task Task) (reply Reply) {
	t.Helper()
	in, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	cmd := u.part(role)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s as %+v: %v %s", role, u, err, out)
	}
	if err := json.Unmarshal(out, &reply); err != nil {
		t.Fatalf("%s as %+v: %v in %s", role, u, err, out)
	}
	return reply
}

// begin starts a part that runs until the test, or end, ends it. It returns once the part
// has reported that it is running.
func begin[Task any](t testing.TB, u user, role string, task Task) (end func()) {
	t.Helper()
	cmd := u.part(role)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			in.Close()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(end)
	if err := json.NewEncoder(in).Encode(task); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("%s as %+v: %v", role, u, err)
	}
	return end
}

// underWay makes begin return.
func underWay() { fmt.Print(".") }

// taskOf reads the task of the part.
func taskOf[Task any]() (task Task) {
	if err := json.NewDecoder(os.Stdin).Decode(&task); err != nil {
		panic(err)
	}
	return task
}

// An asking is requests, each sent on a new connection.
type asking struct {
	Socket   string
	Requests []request
}

type request struct{ Method, Path, Body string }

// An answer has status 0 if there was no connection; Body says why.
type answer struct {
	Status int
	Body   string
}

func playAsk() {
	task := taskOf[asking]()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", task.Socket)
		},
	}}
	answers := []answer{}
	for _, q := range task.Requests {
		req, err := http.NewRequest(q.Method, "http://localhost"+q.Path, strings.NewReader(q.Body))
		if err != nil {
			panic(err)
		}
		res, err := client.Do(req)
		if err != nil {
			answers = append(answers, answer{Body: err.Error()})
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			panic(err)
		}
		res.Body.Close()
		answers = append(answers, answer{res.StatusCode, string(body)})
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
