package ctl_test

import (
	"strings"
	"testing"
)

func TestPick_InTheFleet(t *testing.T) {
	const (
		ollamaDead = `{"id":"ollama","kind":"ollama","type":"local","state":"STOPPED","reason":"connection_refused","hint":"start it: ollama serve","age_ms":1000}`
		ollamaHere = `{"id":"ollama","kind":"ollama","type":"local","state":"RUNNING","reason":"ok","latency_ms":9,"age_ms":1000,"endpoint":"http://127.0.0.1:11434"}`
		cloud      = `{"id":"openai","kind":"openai","type":"cloud","state":"RUNNING","reason":"ok","latency_ms":50,"age_ms":1000,"endpoint":"https://api.openai.com"}`
	)
	vllm := remote("vllm", "RUNNING", "ok", reachable)
	at := func(address string) string { return remote("vllm", "RUNNING", "ok", `,"endpoint":"`+address+`"`) }
	for name, tc := range map[string]struct {
		args, own, fleet string
		code             int
		out, err         string
	}{
		"OwnBeforeOthers":       {"pick --fleet", ollamaHere, inFleet("ok", gpu2(vllm)), 0, "ollama\n", ""},
		"OthersBeforeTheCloud":  {"pick --fleet", ollamaDead + "," + cloud, inFleet("ok", gpu2(vllm)), 0, "gpu2/vllm\n", ""},
		"NotWithoutTheFlag":     {"pick", ollamaDead + "," + cloud, inFleet("ok", gpu2(vllm)), 0, "openai\n", ""},
		"FastestIsAsSeenHere":   {"pick --fleet --prefer fastest", cloud, inFleet("ok", gpu2(vllm)), 0, "openai\n", ""},
		"URL":                   {"pick --fleet -o url", ollamaDead, inFleet("ok", gpu2(vllm)), 0, "http://gpu2:8000/v1\n", ""},
		"ByName":                {"pick --fleet gpu2/vllm", ollamaHere, inFleet("ok", gpu2(vllm)), 0, "gpu2/vllm\n", ""},
		"ByNameInOrder":         {"pick --fleet gpu2/vllm ollama", ollamaHere, inFleet("ok", gpu2(vllm)), 0, "gpu2/vllm\n", ""},
		"UnknownName":           {"pick --fleet gpu2/nope", ollamaHere, inFleet("ok", gpu2(vllm)), 5, "", `no such provider: "gpu2/nope"`},
		"Why":                   {"pick --fleet -o json", ollamaDead, inFleet("ok", gpu2(vllm)), 0, "RUNNING (0.1 ms), local, as gpu2 sees it", ""},
		"Model":                 {"pick --fleet --model qwen3-32b", ollamaDead, inFleet("ok", gpu2(vllm)), 0, "gpu2/vllm\n", ""},
		"AnotherModel":          {"pick --fleet --model llama4", ollamaDead, inFleet("ok", gpu2(vllm)), 1, "", "gpu2/vllm: it does not list llama4"},
		"UnreachableIsNoChoice": {"pick --fleet", ollamaDead, inFleet("ok", gpu2(remote("vllm", "RUNNING", "ok", ""))), 1, "", "gpu2/vllm: RUNNING, for its own machine only"},
		"Loopback":              {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://127.0.0.1:8000"))), 1, "", "at an address that other machines cannot use"},
		"Loopback6":             {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://[::1]:8000"))), 1, "", "cannot use"},
		"LoopbackMapped":        {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://[::ffff:127.0.0.1]:8000"))), 1, "", "cannot use"},
		"LoopbackShort":         {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://127.1:8000"))), 1, "", "cannot use"},
		"LoopbackNumber":        {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://2130706433:8000"))), 1, "", "cannot use"},
		"LoopbackHex":           {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://0x7f000001:8000"))), 1, "", "cannot use"},
		"LoopbackName":          {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://LocalHost.:8000"))), 1, "", "cannot use"},
		"Unspecified":           {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://0.0.0.0:8000"))), 1, "", "cannot use"},
		"Socket":                {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("unix:///run/x.sock"))), 1, "", "cannot use"},
		"UserInfo":              {"pick --fleet", ollamaDead, inFleet("ok", gpu2(at("http://u:p@gpu2:8000"))), 1, "", "cannot use"},
		"Stopped":               {"pick --fleet", ollamaDead, inFleet("ok", gpu2(remote("vllm", "STOPPED", "connection_refused", reachable))), 1, "", "gpu2/vllm: STOPPED"},
		"AloneIsNoChoice":       {"pick --fleet", ollamaDead, inFleet("alone", gpu2(vllm)), 1, "", "as last known before this machine was cut off"},
		"NoFleetStillPicks":     {"pick --fleet", ollamaHere, noFleet, 0, "ollama\n", "this machine is in no fleet"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{
				"GET /api/providers/status":                    {rows(tc.own)},
				"GET /api/providers/status?provider_id=ollama": {rows(ollamaHere)},
				"GET /api/fleet":                               {ok(tc.fleet)},
			})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
		})
	}
	t.Run("EnvironmentHasNoKey", func(t *testing.T) {
		d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaDead)}, "GET /api/fleet": {ok(inFleet("ok", gpu2(vllm)))}})
		d.run(t, "pick", "--fleet", "-o", "env").want(t, 0,
			"PROVIDERD_PROVIDER=gpu2/vllm\nPROVIDERD_KIND=vllm\nPROVIDERD_ENDPOINT=http://gpu2:8000\nOPENAI_BASE_URL=http://gpu2:8000/v1\nVLLM_HOST=http://gpu2:8000\n", "")
		if got := d.run(t, "pick", "--fleet", "-o", "env"); strings.Contains(got.out, "KEY") {
			t.Errorf("a key is named:\n%s", got.out)
		}
	})
}

func TestWait_ForAnotherMachinesServer(t *testing.T) {
	loading, up := remote("vllm", "STARTING", "loading", reachable), remote("vllm", "RUNNING", "ok", reachable)
	script := func(fleets ...string) map[string][]reply {
		all := map[string][]reply{"GET /api/providers/status": {rows(ollamaUp)}, "GET /api/providers/status?max_age=1s&provider_id=ollama&wait=" + anything: {rows(ollamaUp)}}
		for _, text := range fleets {
			all["GET /api/fleet"] = append(all["GET /api/fleet"], ok(text))
		}
		return all
	}
	t.Run("ComesUp", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok", gpu2(loading)), inFleet("ok", gpu2(up))))
		d.run(t, "wait", "gpu2/vllm", "--fleet", "--timeout", "30s").want(t, 0, "gpu2/vllm is RUNNING", "")
	})
	t.Run("ItsMachineComes", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok"), inFleet("ok", gpu2(up))))
		d.run(t, "wait", "gpu2/vllm", "--fleet", "--timeout", "30s").want(t, 0, "gpu2/vllm is RUNNING", "")
	})
	t.Run("TheirMachinesCome", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok"), inFleet("ok", gpu2(up))))
		d.run(t, "wait", "gpu2/vllm", "gpu3/vllm", "--any", "--fleet", "--timeout", "30s").want(t, 0, "gpu2/vllm is RUNNING", "")
	})
	t.Run("WithOneOfHere", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok", gpu2(up))))
		d.run(t, "wait", "gpu2/vllm", "ollama", "--fleet").want(t, 0, "gpu2/vllm is RUNNING (0.1 ms)\nollama is RUNNING", "")
	})
	t.Run("TimesOut", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok", gpu2(loading))))
		d.run(t, "wait", "gpu2/vllm", "--fleet", "--timeout", "300ms").want(t, 6, "", "gpu2/vllm is still STARTING")
	})
	t.Run("Unknown", func(t *testing.T) {
		d := startDaemon(t, script(inFleet("ok", gpu2(loading))))
		d.run(t, "wait", "gpu2/nope", "--fleet").want(t, 5, "", `no such provider: "gpu2/nope"`)
	})
	t.Run("NeedsTheFlag", func(t *testing.T) {
		d := startDaemon(t, nil)
		d.run(t, "wait", "gpu2/vllm").want(t, 2, "", "hint: to wait for another machine's server: providerctl wait --fleet gpu2/vllm")
	})
}

func TestRefresh_InTheFleet(t *testing.T) {
	const done = `{"status":"refresh_triggered","message":"Triggered refresh","generation":4}`
	for name, tc := range map[string]struct {
		args, fleet, request string
		code                 int
		out, err             string
	}{
		"AllThatAreShared": {"refresh --fleet", inFleet("ok"), "POST /api/providers/refresh?provider_id=openai&provider_id=anthropic", 0, "Triggered refresh", ""},
		"OneOfThem":        {"refresh --fleet openai", inFleet("ok"), "POST /api/providers/refresh?provider_id=openai", 0, "Triggered refresh", ""},
		"NotTheOthers":     {"refresh --fleet openai ollama", inFleet("ok"), "POST /api/providers/refresh?provider_id=openai", 0, "Triggered refresh", "ollama is not shared: it serves this machine only"},
		"NoneIsShared":     {"refresh --fleet ollama", inFleet("ok"), "", 1, "", "ollama is not shared"},
		"NotWhatRunsThere": {"refresh --fleet gpu2/vllm openai", inFleet("ok"), "POST /api/providers/refresh?provider_id=openai", 0, "Triggered refresh", "gpu2/vllm is probed by gpu2 alone: refresh it there"},
		"NoFleet":          {"refresh --fleet", noFleet, "", 1, "", "this machine is in no fleet"},
		"AloneSaysSo":      {"refresh --fleet openai", inFleet("alone"), "POST /api/providers/refresh?provider_id=openai", 0, "Triggered refresh", "everything is probed here"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/fleet": {ok(tc.fleet)}, tc.request: {ok(done)}})
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
			if requests := d.requests(); tc.request != "" && requests[len(requests)-1] != tc.request {
				t.Errorf("requests: %q", requests)
			}
		})
	}
}

func TestCompletion_OffersTheFleet(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaUp)}, "GET /api/fleet": {ok(inFleet("ok", gpu2(remote("vllm", "RUNNING", "ok", reachable))))}})
	d.run(t, "__complete", "pick", "--fleet", "").want(t, 0, "ollama\tRUNNING\ngpu2/vllm\tRUNNING\n", "ShellCompDirectiveNoFileComp")
	if got := d.run(t, "__complete", "pick", ""); strings.Contains(got.out, "gpu2") {
		t.Errorf("without the flag: %s", got.out)
	}
}

// Another machine's server is configured like one of here, at its own address and without a key.
func TestExport_InTheFleet(t *testing.T) {
	const ollamaDead = `{"id":"ollama","kind":"ollama","type":"local","state":"STOPPED","reason":"connection_refused","hint":"start it: ollama serve","age_ms":1000}`
	up, closed := remote("vllm", "RUNNING", "ok", reachable), remote("vllm", "RUNNING", "ok", "")
	at127 := remote("vllm", "STARTING", "loading", `,"endpoint":"http://127.0.0.1:8000","client":{"openai_base_url":"http://127.0.0.1:8000/v1"},"models":["m"]`)
	loading := remote("vllm", "STARTING", "loading", reachable)
	for name, tc := range map[string]struct {
		args, fleet string
		code        int
		out, err    string
	}{
		"Llm":       {"export llm --fleet", inFleet("ok", gpu2(up)), 0, "- model_id: gpu2/vllm/qwen3-32b\n  model_name: qwen3-32b\n  api_base: http://gpu2:8000/v1\n", ""},
		"ByName":    {"export opencode gpu2/vllm --fleet --model qwen3-32b", inFleet("ok", gpu2(up)), 0, `"baseURL": "http://gpu2:8000/v1"`, "for opencode.json"},
		"NotListed": {"export opencode --fleet --model llama4", inFleet("ok", gpu2(up)), 1, "", "gpu2/vllm: it does not list llama4"},
		"Closed":    {"export llm --fleet", inFleet("ok", gpu2(closed)), 1, "", "gpu2/vllm: RUNNING, for its own machine only"},
		"Loading":   {"export llm --fleet", inFleet("ok", gpu2(loading)), 1, "", "gpu2/vllm: STARTING"},
		"All":       {"export llm --fleet --all", inFleet("ok", gpu2(loading)), 0, "model_id: gpu2/vllm/qwen3-32b", ""},
		"NeverOurs": {"export llm --fleet --all gpu2/vllm", inFleet("ok", gpu2(at127)), 1, "", "at an address that other machines cannot use"},
		"NoFlag":    {"export llm", inFleet("ok", gpu2(up)), 1, "", "ollama: STOPPED"},
		"NoFleet":   {"export llm --fleet", noFleet, 1, "", "this machine is in no fleet"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(ollamaDead)}, "GET /api/providers/ollama/models": {listing()}, "GET /api/fleet": {ok(tc.fleet)}})
			got := d.run(t, strings.Fields(tc.args)...)
			got.want(t, tc.code, tc.out, tc.err)
			if strings.Contains(got.out+got.err, "STOLEN_KEY") {
				t.Errorf("a key is named:\n%s%s", got.out, got.err)
			}
		})
	}
}
