package cmd_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A door is who may use a route.
type door struct {
	path    string // a call of it; empty: the route's own
	body    string
	status  int    // for users who may; 0: 200
	command string // in the hint for users who may not; empty: everybody may
	program string // whose command it is; empty: providerctl's
}

// doors has every route, and a route that it does not have fails the test.
var doors = map[string]door{
	"GET /api/providers/status":           {},
	"POST /api/providers/refresh":         {status: 202},
	"GET /api/providers/{id}":             {},
	"GET /api/providers/{id}/models":      {},
	"GET /api/providers/{id}/diagnostics": {},
	"POST /api/providers/{id}/diagnose":   {path: "/api/providers/a/diagnose?wait=20s"},
	"GET /api/providers/{id}/history":     {},
	"POST /api/providers/{id}/pause":      {command: "pause a"},
	"POST /api/providers/{id}/resume":     {command: "resume a"},
	"POST /api/providers/{id}/report":     {body: `{"status":429,"retry_after":"1"}`},
	"POST /api/providers/{id}/action":     {body: `{"action":"stop","phase":"begins"}`, status: 400}, // it has no unit
	"GET /api/fleet":                      {},
	"GET /api/providers/{id}/slots":       {status: 409},
	"POST /api/providers/{id}/slots":      {status: 409},
	"GET /api/events":                     {},
	"GET /api/history":                    {},
	"GET /api/notify":                     {},
	"POST /api/notify/{sink}/test":        {command: "notify test a"},
	"POST /api/notify/{sink}/retry":       {command: "notify retry a"},
	"POST /api/notify/{sink}/drop":        {command: "notify drop a"},
	"GET /api/maintenance":                {},
	"POST /api/maintenance":               {body: `{"provider_id":"a","for":"1h"}`, command: "maintenance a --for 2h"},
	"DELETE /api/maintenance":             {command: "maintenance end --all"},
	"GET /api/daemon":                     {},
	"GET /api/daemon/config":              {command: "config show --running", program: "providerd"},
	"POST /api/daemon/reload":             {command: "reload"},
	"PUT /api/daemon/log-level":           {body: `{"level":"info"}`, command: "log-level info"},
	"GET /api/daemon/log":                 {command: "logs"},
	"GET /api/daemon/backup":              {command: "backup FILE"},
	"POST /api/discover":                  {},
	"GET /api/openapi.json":               {},
	"GET /healthz":                        {},
	"GET /metrics":                        {},
}

// Every route × every kind of user, in processes of those users, with a system's daemon
// that runs as root, and one that runs as its own user.
func TestDoors_EveryRouteAsEveryUser(t *testing.T) {
	needRoot(t)
	t.Parallel()
	for _, owner := range []user{alone(0), alone(daemonUID)} {
		t.Run(fmt.Sprintf("DaemonOfUID%d", owner.uid), func(t *testing.T) {
			t.Parallel()
			p := newProcessOf(t, owner, fmt.Sprintf("[daemon]\nadmin_group = \"%d\"\n[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://%s\"\n"+
				"[[notify]]\nid = \"a\"\nkind = \"exec\"\ncommand = [\"/bin/true\"]\n", adminGID, "127.0.0.1:1"))
			p.start()
			if owner.uid != 0 {
				t.Run("APersonsOwnIsClosedToOthers", func(t *testing.T) {
					for _, u := range []user{alone(otherUID), {uid: otherUID, gid: adminGID}, {uid: otherUID, gid: owner.gid}} {
						got := ask[[]answer](t, u, "ask", asking{p.socket, []request{{"GET", "/healthz", ""}}})
						if got[0].Status != 0 || !strings.Contains(got[0].Body, "permission denied") {
							t.Errorf("%+v: %+v", u, got)
						}
					}
				})
				p.kill()
				p.system = true
				p.start()
			}
			names := slices.Sorted(maps.Keys(doors))
			if got := p.routes(); !slices.Equal(got, names) {
				t.Fatalf("the routes are %q, and this test knows %q", got, names)
			}
			for _, who := range []struct {
				name  string
				user  user
				admin bool
			}{
				{"Root", alone(0), true},
				{"TheDaemonsUser", owner, true},
				{"AdminGroupAsPrimary", user{uid: otherUID, gid: adminGID}, true},
				{"AdminGroupAsSupplementary", user{uid: otherUID, gid: otherUID, groups: []uint32{4, adminGID}}, true},
				{"Other", user{uid: otherUID, gid: otherUID, groups: []uint32{4, 24}}, false},
				{"TheDaemonsGroupAlone", user{uid: otherUID + 1, gid: daemonUID}, false}, // who may report at once, too
			} {
				t.Run(who.name, func(t *testing.T) {
					for i, got := range ask[[]answer](t, who.user, "ask", asking{p.socket, requestsOf(names)}) {
						doors[names[i]].check(t, names[i], got, who.admin, who.user.uid)
					}
				})
			}
		})
	}
}

// check compares an answer with what the door should give.
func (d door) check(t *testing.T, name string, got answer, admin bool, uid uint32) {
	t.Helper()
	if admin || d.command == "" {
		if want := max(d.status, http.StatusOK); got.Status != want {
			t.Errorf("%s: %d, want %d: %s", name, got.Status, want, got.Body)
		}
		return
	}
	says := []string{
		`"code":"denied"`, fmt.Sprintf("uid %d may not", uid),
		`"hint":"sudo ` + cmp.Or(d.program, "providerctl") + " " + d.command + ";", fmt.Sprintf("sudo usermod -aG %d $USER", adminGID),
	}
	if got.Status != http.StatusForbidden {
		t.Errorf("%s: %d, want 403: %s", name, got.Status, got.Body)
	}
	for _, part := range says {
		if !strings.Contains(got.Body, part) {
			t.Errorf("%s does not say %s: %s", name, part, got.Body)
		}
	}
}

func requestsOf(names []string) (requests []request) {
	for _, name := range names {
		method, path, _ := strings.Cut(name, " ")
		if d := doors[name]; d.path != "" {
			path = d.path
		}
		requests = append(requests, request{method, strings.NewReplacer("{id}", "a", "{sink}", "a").Replace(path), doors[name].body})
	}
	return requests
}

// routes are those that the daemon documents; another test compares these with those that
// it serves.
func (p *process) routes() (names []string) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	p.do("GET", "/api/openapi.json", &doc)
	for path, methods := range doc.Paths {
		for _, method := range []string{"get", "post", "put", "delete", "patch"} {
			if methods[method] != nil {
				names = append(names, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(names)
	return names
}

// newProcessOf prepares a folder that everybody can read. The folders run and state in it
// belong to owner, who will run the daemon.
func newProcessOf(t testing.TB, owner user, config string) *process {
	t.Helper()
	p := newProcess(t, config)
	p.as = owner.become
	for _, dir := range []string{"run", "state"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"": 0o755, "c.toml": 0o644, "run": 0o755, "state": 0o700} {
		name = filepath.Join(p.dir, name)
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if name != p.dir {
			chown(t, name, owner.uid)
		}
	}
	return p
}

func chown(t testing.TB, name string, uid uint32) {
	t.Helper()
	if err := os.Lchown(name, int(uid), int(uid)); err != nil {
		t.Fatal(err)
	}
}
