package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A name that an attacker maps to this machine shows nothing, and nothing reaches the daemon.
func TestDoors_ARebinding(t *testing.T) {
	z := startZoo(t)
	d := z.startDashboard()
	before := z.requests()
	w := newTab(t)
	w.open(strings.Replace(d.url, "127.0.0.1", rebound, 1))
	if text := w.text(); strings.Contains(text, "ollama") || !strings.Contains(text, "no such name") {
		t.Errorf("by the name %s it shows: %s", rebound, text)
	}
	answer := eval[string](w, `fetch("api/providers/status").then(r => r.status + " " + r.type, e => "failed")`)
	if strings.HasPrefix(answer, "200") {
		t.Errorf("a script under the name %s reads the rows: %s", rebound, answer)
	}
	if reached := z.requests() - before - 1; reached != 0 {
		t.Errorf("%d requests reached the daemon", reached)
	}
}

// attack is a page of another origin that knows the dashboard's whole address, and tries
// everything that a page can send. It is called done when the browser has dealt with each.
const attack = `<!doctype html><title>under way</title><iframe name="sink"></iframe><script>
const at = %q, settled = [];
const element = (name, set) => settled.push(new Promise(over => {
	const e = document.createElement(name);
	e.onload = e.onerror = over;
	set(e);
	document.body.append(e);
}));
const form = (method, path, type) => {
	const f = document.createElement("form");
	f.method = method, f.action = at + path, f.target = "sink", f.enctype = type;
	f.innerHTML = '<input name="provider_id" value="ollama"><input name="nonce" value="x">';
	document.body.append(f);
	settled.push(new Promise(over => { document.querySelector("iframe").onload = over; f.submit(); }));
	return settled.at(-1);
};
const socket = () => settled.push(new Promise(over => {
	const s = new WebSocket(at.replace("http", "ws") + "api/events");
	s.onopen = s.onclose = over;
}));
const stream = () => settled.push(new Promise(over => {
	const s = new EventSource(at + "api/events?follow=1");
	s.onopen = over;
	s.onerror = () => { s.close(); over(); };
}));
onload = async () => {
	for (const mode of ["cors", "no-cors"]) for (const credentials of ["omit", "include"])
		for (const [method, path] of [["GET", ""], ["GET", "api/providers/status"], ["POST", "api/providers/refresh"], ["POST", "do/refresh"]])
			settled.push(fetch(at + path, {method, mode, credentials, body: method == "POST" ? "{}" : null}).catch(() => {}));
	settled.push(fetch(at + "api/providers/refresh", {method: "POST", headers: {"X-Providerd": "1"}}).catch(() => {}));
	settled.push(fetch(at + "api/providers/refresh", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}).catch(() => {}));
	for (const path of ["", "api/providers/status", "assets/app.js"]) {
		element("img", e => e.src = at + path);
		element("script", e => e.src = at + path);
		element("iframe", e => e.src = at + path);
		element("object", e => e.data = at + path);
		element("video", e => e.src = at + path);
		element("link", e => { e.rel = "stylesheet"; e.href = at + path; });
	}
	socket();
	stream();
	navigator.sendBeacon(at + "api/providers/refresh", new URLSearchParams("provider_id=ollama"));
	const script = URL.createObjectURL(new Blob(['fetch("' + at + 'api/providers/refresh", {method: "POST", mode: "no-cors"}).finally(() => postMessage(1)).catch(() => {})']));
	settled.push(new Promise(over => { const w = new Worker(script); w.onmessage = w.onerror = over; }));
	for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
		await form("post", "do/refresh", type);
		await form("post", "api/providers/refresh", type);
	}
	await form("get", "", "");
	await Promise.all(settled);
	document.title = "done";
};
</script>`

// Nothing that a page of another origin sends reaches the daemon, even if it knows the address.
func TestDoors_AnotherOrigin(t *testing.T) {
	z := startZoo(t)
	d := z.startDashboard()
	attacker := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, attack, d.url)
	})
	before := z.requests()
	w := newTab(t)
	w.open(attacker.url() + "/")
	w.until(`document.title == "done"`)
	if reached := z.requests() - before - 1; reached != 0 {
		t.Errorf("%d requests of another origin reached the daemon", reached)
	}
	for name, go_ := range map[string]string{
		"a link":      `location.href = %q`,
		"a form":      `{ const f = document.createElement("form"); f.action = %q; document.body.append(f); f.submit(); }`,
		"a POST form": `{ const f = document.createElement("form"); f.method = "post"; f.action = %q + "do/refresh"; document.body.append(f); f.submit(); }`,
	} {
		w.open(attacker.url() + "/")
		w.until(`document.title == "done"`)
		before := z.requests()
		answered := w.leads(fmt.Sprintf(go_, d.url), d.url)
		if answered != http.StatusForbidden {
			t.Errorf("%s to the dashboard is answered with %d", name, answered)
		}
		if reached := z.requests() - before - 1; reached != 0 {
			t.Errorf("%s: %d requests reached the daemon", name, reached)
		}
	}

	// The same browser, at the address itself, does reach it: the counter counts.
	own, before := newTab(t), z.requests()
	own.open(d.url)
	own.until(`document.body.innerText.includes("ollama")`)
	if reached := z.requests() - before - 1; reached < 1 {
		t.Error("the dashboard itself does not reach the daemon")
	}
}

// Without the whole path there is nothing.
func TestDoors_AWrongPath(t *testing.T) {
	z := startZoo(t)
	d := z.startDashboard()
	right, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	before := z.requests()
	secret := strings.Trim(right.Path, "/")
	for _, path := range []string{"/", "/index.html", "/api/providers/status", "/" + secret[:len(secret)-1] + "/", "/" + secret + "x/",
		"/x/" + secret + "/", "/" + strings.ToUpper(secret[:1]) + strings.ToLower(secret[1:]) + "0/", "//" + secret + "/", "/favicon.ico", "/metrics"} {
		status, err := get("http://" + right.Host + path)
		if err != nil {
			t.Fatal(err)
		}
		if status != http.StatusNotFound {
			t.Errorf("%q is answered with %d", strings.ReplaceAll(path, secret, "SECRET"), status)
		}
	}
	if reached := z.requests() - before - 1; reached != 0 {
		t.Errorf("%d requests reached the daemon", reached)
	}
	if status, err := get(d.url); status != http.StatusOK {
		t.Errorf("the path itself is answered with %d, %v", status, err)
	}
}

// Another user of this machine is refused, even with the whole address.
func TestDoors_AnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can become another user")
		}
		t.Skip("only root can become another user")
	}
	z := startZoo(t)
	d := z.startDashboard()
	before := z.requests()
	for uid, want := range map[uint32]string{0: "200", 65534: "403"} {
		if said := asUser(t, uid, "get", d.url); said != want {
			t.Errorf("uid %d gets %s, want %s", uid, said, want)
		}
	}
	if reached := z.requests() - before - 1; reached == 0 {
		t.Error("our own user's request is not counted")
	}
	before = z.requests()
	asUser(t, 65534, "get", d.url+"api/providers/status")
	if reached := z.requests() - before - 1; reached != 0 {
		t.Errorf("%d requests of another user reached the daemon", reached)
	}
}

// Without --no-open the browser is started on a file that opens the dashboard, once. The
// address is in the file alone, which is only for its user.
func TestDoors_TheFileForTheBrowser(t *testing.T) {
	d := newDaemon(t, "")
	if os.Getuid() == 0 { // for root no browser is started
		d.as = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := os.Chown(d.dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(d.dir, "c.toml"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	d.start()
	opened := filepath.Join(d.dir, "opened")
	if err := os.WriteFile(filepath.Join(d.dir, "xdg-open"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >\""+opened+"\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	said := new(output)
	cmd := exec.Command(program("providerctl"), "--socket", d.socket, "dashboard")
	cmd.Stderr, cmd.Stdout = said, said
	cmd.Env = append(os.Environ(), "PATH="+d.dir+":"+os.Getenv("PATH"), "DISPLAY=:7", "XDG_RUNTIME_DIR="+d.dir)
	d.become(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("it said: %s", said.tail())
		}
	})
	var file string
	until(t, "the browser is started", func() bool {
		text, _ := os.ReadFile(opened)
		file = strings.TrimSuffix(string(text), "\n")
		return strings.HasSuffix(string(text), "\n")
	})
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the browser gets %q: %v, %v", file, info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newTab(t)
	w.open("file://" + file)
	w.until(connected)
	if secret := strings.Trim(eval[string](w, "location.pathname"), "/"); strings.Contains(string(text), secret) {
		t.Error("the file has the path of the dashboard itself, not a ticket for one use")
	}
	if referrer := eval[string](w, "document.referrer"); strings.HasPrefix(referrer, "file:") {
		t.Errorf("the browser tells where it comes from: %s", referrer)
	}
	until(t, "the file is removed", func() bool {
		_, err := os.Stat(file)
		return os.IsNotExist(err)
	})
	w.clean()
	again := filepath.Join(t.TempDir(), "again.html")
	if err := os.WriteFile(again, text, 0o600); err != nil {
		t.Fatal(err)
	}
	thief := newTab(t)
	thief.open("file://" + again)
	thief.until(`location.protocol == "http:" && document.readyState == "complete"`)
	if thief.text() == w.text() || eval[int](thief, `performance.getEntriesByType("navigation")[0].responseStatus`) != http.StatusNotFound {
		t.Errorf("the same file opens the dashboard twice: %s", thief.text())
	}
	if strings.Contains(said.tail(), "http://") {
		t.Error("the address is printed although the browser came")
	}
}

// asUser runs this program in another role as a user, and returns what it said.
func asUser(t *testing.T, uid uint32, role string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	reachable := filepath.Join(filepath.Dir(bin), "roles") // another user cannot enter the folder of self
	if err := copyFile(reachable, self); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(reachable, args...)
	cmd.Dir, cmd.Env = "/", []string{"BROWSERTEST_ROLE=" + role}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s as uid %d: %v: %s", role, uid, err, out)
	}
	return strings.TrimSpace(string(out))
}

func copyFile(to, from string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
