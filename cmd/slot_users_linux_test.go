package cmd_test

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A slotUser is a process of a user that asked for a slot, and keeps it until the test says so.
type slotUser struct {
	name  string
	cmd   *exec.Cmd
	input io.Closer
}

// slotQueue runs users' processes, which ask for the slots of the provider "a".
type slotQueue struct {
	t    *testing.T
	p    *process
	held chan *slotUser // in the order in which they got one
}

// enter starts a process of a user, and returns once the daemon counts one more that holds or
// waits.
func (q *slotQueue) enter(uid uint32, name string) *slotUser {
	q.t.Helper()
	before := q.slots()
	cmd := exec.Command(program("providerctl"), "--socket", q.p.socket, "slot", "a", "--wait", "60s", "--", "sh", "-c", "echo granted; exec cat")
	alone(uid).become(cmd)
	cmd.Dir = "/"
	input, err := cmd.StdinPipe()
	if err != nil {
		q.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		q.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		q.t.Fatal(err)
	}
	u := &slotUser{name, cmd, input}
	q.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	go func() {
		if line, _ := bufio.NewReader(out).ReadString('\n'); line == "granted\n" {
			q.held <- u
		}
	}()
	q.p.until(func() bool { now := q.slots(); return now.Used+now.Waiting == before.Used+before.Waiting+1 })
	return u
}

func (q *slotQueue) slots() (s provider.SlotsReply) {
	q.p.do("GET", "/api/providers/a/slots", &s)
	return s
}

// unused waits until the daemon has noticed that nobody holds a slot any more.
func (q *slotQueue) unused() {
	q.t.Helper()
	q.p.until(func() bool { return q.slots().Used == 0 })
}

// next is who got a slot.
func (q *slotQueue) next() *slotUser {
	q.t.Helper()
	select {
	case u := <-q.held:
		return u
	case <-time.After(time.Minute):
		q.t.Fatalf("nobody got a slot: %+v", q.slots())
		return nil
	}
}

// as runs providerctl as a user, and returns its output and exit code.
func (q *slotQueue) as(uid uint32, args ...string) (string, int) {
	cmd := exec.Command(program("providerctl"), append([]string{"--socket", q.p.socket}, args...)...)
	alone(uid).become(cmd)
	cmd.Dir = "/"
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// Users of one provider take turns, however many callers each has. Who dies leaves the queue or
// frees the slot, whoever it is; everybody sees who holds and who waits.
func TestSlot_UsersTakeTurns(t *testing.T) {
	t.Parallel()
	needRoot(t)
	const ada, bob, cyd = otherUID + 1, otherUID + 2, otherUID + 3
	config := patiently + "[[provider]]\nid = \"a\"\nkind = \"ollama\"\nbase_url = \"http://" + serveOllama(t) + "\"\nslots = 1\n"
	p := newProcessOf(t, alone(daemonUID), config)
	p.system = true
	p.start()
	p.until(func() bool { return p.unchecked() == 0 })
	q := &slotQueue{t, p, make(chan *slotUser, 10)}

	run := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			q.t = t
			test(t)
		})
	}

	run("ByUser", func(t *testing.T) {
		for _, caller := range []struct {
			uid  uint32
			name string
		}{{ada, "ada1"}, {ada, "ada2"}, {ada, "ada3"}, {bob, "bob1"}, {cyd, "cyd1"}, {bob, "bob2"}} {
			q.enter(caller.uid, caller.name)
		}
		out, _ := q.as(cyd, "slot", "a")
		for _, part := range []string{
			"a: 1 of 1 slots used, 5 waiting\n", fmt.Sprintf("  slot 1: uid %d, taken ", ada), fmt.Sprintf("\n  next: uid %d (2), uid %d, uid %d (2)\n", bob, cyd, ada),
		} {
			if !strings.Contains(out, part) {
				t.Errorf("%q is missing in:\n%s", part, out)
			}
		}
		for _, args := range [][]string{{"slot"}, {"status", "-o", "wide"}} {
			if out, _ := q.as(cyd, args...); !strings.Contains(strings.Join(strings.Fields(out), " "), map[string]string{
				"slot": "a 1 1 5", "wide": "1/1 +5",
			}[args[len(args)-1]]) {
				t.Errorf("%s:\n%s", args, out)
			}
		}
		var order []string
		for range 6 {
			u := q.next()
			order = append(order, u.name)
			u.input.Close()
			if err := u.cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
		if want := []string{"ada1", "bob1", "cyd1", "ada2", "bob2", "ada3"}; !slices.Equal(order, want) {
			t.Errorf("the order is %v, want %v", order, want)
		}
		q.unused()
	})
	run("TheDead", func(t *testing.T) {
		q.enter(ada, "ada")
		holder := q.next()
		waiter, second := q.enter(bob, "bob"), q.enter(cyd, "cyd")
		_ = waiter.cmd.Process.Kill()
		p.until(func() bool { return q.slots().Waiting == 1 })
		if got := q.slots(); len(got.Waiters) != 1 || got.Waiters[0].By != fmt.Sprintf("uid %d", cyd) {
			t.Errorf("%+v", got.Waiters)
		}
		_ = holder.cmd.Process.Kill()
		if u := q.next(); u != second {
			t.Errorf("%s has the slot", u.name)
		}
		_ = second.cmd.Process.Kill()
		q.unused()
	})
	run("NotWhilePaused", func(t *testing.T) {
		p.do("POST", "/api/providers/a/pause", nil)
		if out, code := q.as(ada, "slot", "a", "--", "true"); code != 1 || !strings.Contains(out, "it is paused") {
			t.Errorf("exit code %d: %s", code, out)
		}
		u := q.enter(ada, "ada")
		p.do("POST", "/api/providers/a/resume", nil)
		q.next()
		_ = u.cmd.Process.Kill()
		q.unused()
	})
	// Maintenance is about who is told of trouble; pick chooses the provider, too.
	run("WhileInMaintenance", func(t *testing.T) {
		cmd := exec.Command(program("providerctl"), "--socket", p.socket, "maintenance", "a", "--for", "1h")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if out, code := q.as(ada, "slot", "a", "--", "true"); code != 0 {
			t.Errorf("exit code %d: %s", code, out)
		}
		q.unused()
	})
	// A daemon that starts knows no holders, and they are not disturbed.
	run("ADaemonThatIsKilled", func(t *testing.T) {
		q.enter(ada, "ada")
		holder := q.next()
		waiting := q.enter(bob, "bob")
		p.kill()
		if err := waiting.cmd.Wait(); err == nil || waiting.cmd.ProcessState.ExitCode() == 0 {
			t.Errorf("the one who waited ended with %v", err)
		}
		p.start()
		p.until(func() bool { return q.slots().Free == 1 })
		q.enter(cyd, "cyd")
		u := q.next()
		u.input.Close()
		holder.input.Close()
		for _, u := range []*slotUser{u, holder} {
			if err := u.cmd.Wait(); err != nil {
				t.Errorf("%s: %v", u.name, err)
			}
		}
		q.unused()
	})
}
