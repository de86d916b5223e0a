package browsertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// systemctl plays a systemd whose one unit is a file. It is slow to start, and fails if it is
// told to.
const systemctl = `#!/bin/sh
cd "${0%/*}"
for unit; do :; done
case " $* " in
*" show "*)
	active=inactive sub=dead result=success
	[ ! -e up ] || active=active sub=running
	[ ! -e broken ] || active=failed sub=failed result=exit-code
	printf 'LoadState=loaded\nActiveState=%s\nSubState=%s\nResult=%s\n' $active $sub $result ;;
*" stop "*) rm -f up ;;
*)
	until [ -e go ]; do sleep 0.05; done
	[ ! -e broken ] || { echo "Job for $unit failed." >&2; exit 1; }
	: >up ;;
esac
`

// startOwned starts a daemon with one provider, whose unit such a systemd owns.
func startOwned(t *testing.T) (d *daemon, dir string) {
	dir = t.TempDir()
	for name, script := range map[string]string{"systemctl": systemctl, "journalctl": "#!/bin/sh\necho '<b>no such model</b>'\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	d = startDaemon(t, `autodetect = false
[defaults]
fall = 1
interval = "1h"
[[provider]]
id = "box"
kind = "exec"
command = ["/bin/sh", "-c", "test -e `+filepath.Join(dir, "up")+` || exit 2"]
unit = "box.service"
`)
	return d, dir
}

func touch(t *testing.T, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	running  = `document.querySelector("#action[data-running]")`
	actionOf = `document.querySelector("#action").innerText`
)

// A unit is started and stopped on the page, which shows how it goes on, and asks before it stops.
func TestActions_OnThePage(t *testing.T) {
	d, dir := startOwned(t)
	w := newTab(t)
	w.watchLive(d.startDashboard().url + "providers/box")
	w.do(chromedp.Click(chromedp.CSS("#start button")))
	w.until(running + ` && ` + actionOf + `.includes("asking systemd: systemctl start box.service")`)
	w.until(`document.querySelector("#start button").disabled`)
	touch(t, dir, "go")
	w.until(actionOf + `.includes("box is RUNNING")`)
	w.until(`!document.querySelector("#start button").disabled && document.querySelector("#news").textContent.includes("box is RUNNING")`)
	w.until(`document.querySelector("#changes").innerText.includes("after start by uid")`)

	if eval[bool](w, `document.querySelector("#stop form").checkVisibility()`) {
		t.Error("stop does not ask")
	}
	w.do(chromedp.Click(chromedp.CSS("#stop summary")))
	w.until(`document.querySelector("#stop form").checkVisibility()`)
	w.press(kb.Escape)
	w.until(`!document.querySelector("#stop form").checkVisibility()`)
	w.do(chromedp.Click(chromedp.CSS("#stop summary")))
	w.do(chromedp.Click(chromedp.CSS("#stop button")))
	w.until(actionOf + `.includes("box is ERROR")`)
	w.until(`!document.querySelector("#stop form").checkVisibility()`)

	touch(t, dir, "broken")
	w.do(chromedp.Click(chromedp.CSS("#start button")))
	w.until(actionOf + `.includes("box.service did not start: it is failed (exit-code)")`)
	w.until(actionOf + `.includes("<b>no such model</b>")`)
	w.stayed()
	w.clean()
}

// The same works without scripts.
func TestActions_WithoutJavaScript(t *testing.T) {
	d, dir := startOwned(t)
	w := newTab(t)
	w.withoutScripts(true)
	w.open(d.startDashboard().url + "providers/box")
	w.do(chromedp.Click(chromedp.CSS("#start button")))
	w.until(running)
	touch(t, dir, "go")
	w.until(actionOf + `.includes("box is RUNNING")`) // the page is loaded again
	w.do(chromedp.Click(chromedp.CSS("#stop summary")))
	w.do(chromedp.Click(chromedp.CSS("#stop button")))
	w.until(running + ` || ` + actionOf + `.includes("box is ERROR")`)
}
