package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// lab is the fleet of a machine gpu1, as of now.
func lab() *provider.FleetReply {
	joined, aged, checked, models := int64(7200), int64(4000), int64(2000), 7
	return &provider.FleetReply{
		TS: ago(0), Mode: provider.FleetOK, Since: ago(2 * time.Hour), Name: "lab", Member: "gpu1", Trust: "verify",
		Endpoints: []string{"https://etcd-1:2379"}, CertificateExpires: ago(-72 * time.Hour),
		Members: []provider.FleetMember{
			{Member: "ci", Version: "1.0.0", Mode: provider.FleetOK, Shares: 2, Held: 1, Holds: []string{"openai"}},
			{Member: "gpu1", Version: "1.1.0", Self: true, Mode: provider.FleetOK, JoinedS: &joined, Shares: 2, Held: 1},
		},
		Shared: []provider.FleetShared{
			{ID: "openai", Prober: "ci", Epoch: 7, Members: 2, AgeMS: &aged, OwnChecks: 3, LimitMS: 61_000, LimitBy: "ci"},
			{ID: "anthropic", Prober: "gpu1", Here: true, Members: 2, Disagrees: true},
		},
		NotShared: []provider.FleetUnshared{{ID: "ollama", Why: "it serves this machine only"}},
		Hosts: []provider.FleetHost{{Member: "gpu2", More: 3, Providers: []provider.FleetRow{
			{ID: "vllm", Kind: "vllm", Type: provider.Local, State: provider.StateRunning, Reason: provider.OK, CheckedMS: &checked, Endpoint: "http://gpu2:8000", LatencyMS: 0.8, ModelsCount: &models},
			{ID: "tgi", Kind: "tgi", Type: provider.Local, State: provider.StateStopped, Reason: provider.ConnectionRefused, Hint: "start it", RetryInMS: 41_000},
		}}},
		Counters: provider.FleetCounters{Writes: 12, Claims: 1, Fenced: 2, OwnChecks: 3, Refused: 4, Alone: 5},
	}
}

func TestFleet_ShowsTheMachines(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.fleet = lab()
	h := views(d)
	source := get(t, h, base+"fleet", 200)
	mustHave(t, "the fleet", text(t, source),
		"lab: a member as gpu1, with 1 other machine; probes 1 of 2 shared providers here for 2h",
		"members run different versions: 1.0.0, 1.1.0", "the certificate of gpu1 expires in 3d",
		"Trust verify", "etcd https://etcd-1:2379", "Writes 12, 2 refused", "Not believed 4 values",
		"Member Mode Version Lag Since Probes For this machine", "ci ok 1.0.0 - - 1 of 2 openai", "gpu1 (here) ok 1.1.0 - 2h 1 of 2",
		"gpu2/vllm ● RUNNING ok 0.8 ms 7 2s http://gpu2:8000", "gpu2/tgi ○ STOPPED connection_refused 00:41 - - - only there on gpu2: start it", "and 3 more on gpu2",
		"openai ci 2 4s 3 limited for 1m, as ci found", "anthropic gpu1 (here) 2 - 0 this machine sees otherwise",
		"ollama it serves this machine only")
	mustHave(t, "the page", source, `href="/b4se/providers/openai"`, `href="/b4se/fleet" data-go="f" aria-current="page"`)
	if n := strings.Count(source, "<time data-ago="); n != 4 { // the mode, a member, a row, a server
		t.Errorf("%d ages run, want 4", n)
	}
}

func TestFleet_SaysWhatToDo(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d)
	mustHave(t, "an older daemon's", text(t, get(t, h, base+"fleet", 200)), "off: the daemon is older than fleets → restart it")
	none := provider.NoFleet()
	d.fleet = &none
	mustHave(t, "none", text(t, get(t, h, base+"fleet", 200)), "this machine is in no fleet → a fleet shares probes among machines: add [fleet]")
	d.fleet = lab()
	d.fleet.Mode, d.fleet.Why, d.fleet.Hint = provider.FleetAlone, "no answer from etcd for 7s <script>x</script>\u202e", "check etcd"
	d.fleet.StretchedIntervals = 2
	source := get(t, h, base+"fleet", 200)
	mustHave(t, "alone", text(t, source), "lab: alone: no answer from etcd for 7s", "everything is probed here for 2h → check etcd",
		"shared providers are probed up to 2 times less often", "gpu2/vllm ● RUNNING stale ok")
	if strings.Contains(source, "<script>x") || strings.Contains(source, "\u202e") {
		t.Error("a text of the fleet is in the page as it came")
	}
}
