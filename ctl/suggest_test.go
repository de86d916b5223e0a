package ctl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
)

// A mistyped word gets a hint at what to type instead, and a word that resembles nothing
// gets no nonsense.
func TestUsage_SuggestsWhatWasMeant(t *testing.T) {
	const meant = "providerctl: hint: did you mean: "
	for args, hint := range map[string]string{
		// Commands: a swap, a loss, a gain, a slip, another case, a beginning, a part.
		"stauts":     meant + "providerctl status\n",
		"refrsh":     meant + "providerctl refresh\n",
		"evens":      meant + "providerctl events\n",
		"statuss":    meant + "providerctl status\n",
		"oause":      meant + "providerctl pause\n",
		"Status":     meant + "providerctl status\n",
		"event":      meant + "providerctl events\n",
		"model":      meant + "providerctl models\n",
		"diag":       meant + "providerctl diagnose\n",
		"running":    meant + "providerctl is-running\n",
		"is_running": meant + "providerctl is-running\n",
		"log":        meant + "providerctl logs, providerctl log-level\n",
		"re":         meant + "providerctl refresh, providerctl reload, providerctl report\n",
		"hlep":       meant + "providerctl help\n",
		// Words of other programs.
		"LS":          meant + "providerctl status\n",
		"list":        meant + "providerctl status, providerctl models\n",
		"ps":          meant + "providerctl status\n",
		"get":         meant + "providerctl status\n",
		"show ollama": meant + "providerctl status\n",
		"watch":       meant + "providerctl events, providerctl status\n",
		"tail -f":     meant + "providerctl logs\n",
		"unpause a":   meant + "providerctl resume\n",
		"start":       "providerctl: hint: usage: providerctl start ID [flags]; or for the daemon itself: providerd service start\n",
		"stop":        "providerctl: hint: usage: providerctl stop ID [flags]; or for the daemon itself: providerd service stop\n",
		"restart":     "providerctl: hint: usage: providerctl restart ID [flags]; or for the daemon itself: providerd service restart\n",
		"edit":        meant + "providerd config edit\n",
		"init":        meant + "providerd config init\n",
		"config show": meant + "providerd config show\n",
		"servce":      meant + "providerd service status\n",
		"confg":       meant + "providerd config show\n",
		"unistall":    meant + "providerd service uninstall\n",
		"help servce": meant + "providerd help service status\n",
		// A word that a flag takes.
		"report ollama --error timout": meant + "--error timeout\n",
		"report ollama --error broken": "providerctl: hint: use one of: timeout, refused, reset\n",
		// The command is at fault, and not its flags.
		"stauts -o json":     meant + "providerctl status\n",
		"refrsh --wait":      meant + "providerctl refresh\n",
		"--socket /x stauts": meant + "providerctl --socket /x status\n",
		"stauts --help":      meant + "providerctl status\n",
		"stauts ollama -h":   meant + "providerctl status\n",
		"stauts --version":   meant + "providerctl status\n",
		"help stauts":        meant + "providerctl help status\n",
		// A flag before its command.
		"-o json":             "providerctl: hint: it goes after a command, as in: providerctl status --output json\n",
		"--watch":             "providerctl: hint: it goes after a command, as in: providerctl status --watch\n",
		"--json":              meant + "providerctl status -o json\n",
		"--xyzzy":             "providerctl: hint: see: providerctl --help\n",
		"completion bahs":     meant + "providerctl completion bash\n",
		"help completion zhs": meant + "providerctl help completion zsh\n",
		"help status nosuch":  meant + "providerctl help status\n",
		"help install":        meant + "providerd help service install\n",
		"help nosuch":         "providerctl: hint: see: providerctl --help\n",
		"--color alwys":       meant + "--color always\n",
		"status --color":      "providerctl: hint: use one of: auto, always, never\n",
		// Flags.
		"status --jsn":         meant + "-o json\n",
		"status --json":        meant + "-o json\n",
		"status -json":         meant + "-o json\n",
		"status --wide":        meant + "-o wide\n",
		"status --format json": meant + "--output\n",
		"status --maxage 5s":   meant + "--max-age\n",
		"status --max_age=5s":  meant + "--max-age\n",
		"status --WATCH":       meant + "--watch\n",
		"status -watch":        meant + "--watch\n",
		"status -W":            meant + "-w\n",
		"refresh --timout=5s":  meant + "--timeout\n",
		"refresh -timeout 5s":  meant + "--timeout\n",
		"events --folow":       meant + "--follow\n",
		"events --watch":       meant + "--follow\n",
		"--sokcet /x status":   meant + "--socket\n",
		"info --soket=/x":      meant + "--socket\n",
		// Values.
		"status -o jsno":              meant + "--output json\n",
		"status -o JSON":              meant + "--output json\n",
		"diagnose a -o md":            "hint: use one of: table, json, markdown\n",
		"diagnose a -o mark":          meant + "--output markdown\n",
		"pick --prefer fast":          meant + "--prefer fastest\n",
		"wait a --for RUNING":         meant + "--for RUNNING\n",
		"wait a --for running,stoped": meant + "--for STOPPED\n",
		"refresh a --timeout 5":       meant + "--timeout 5s\n",
		"refresh a --wait=5s":         meant + "--wait --timeout 5s\n",
		"refresh a --timeout 2min":    meant + "--timeout 2m\n",
		"refresh a --timeout=90S":     meant + "--timeout 90s\n",
		"status --max-age 1d":         meant + "--max-age 24h\n",
		"status --max-age d":          "hint: give a number and a unit: --max-age 30s\n",
		"status --max-age 5x":         "hint: give a number and a unit: --max-age 30s\n",
		"status --max-age 99999d":     "hint: give a number and a unit: --max-age 30s\n",
		"report a --status four":      "hint: give a whole number: --status 429\n",
		"pick --model":                "hint: write --model NAME: only one that lists the model NAME\n",
		// A flag's value without its flag.
		"wait ollama RUNNING":  meant + "providerctl wait ollama --for RUNNING\n",
		"wait o* a READY":      meant + "providerctl wait 'o*' a --for READY\n",
		"report ollama 429":    meant + "providerctl report ollama --status 429\n",
		"report ollama timout": meant + "providerctl report ollama --error timeout\n",
		"report ollama gone":   "hint: usage: providerctl report ID [flags]\n",
		"completion bash x":    "bash: unexpected argument \"x\"\nproviderctl: hint: usage: providerctl completion bash [flags]\n",
		// Nothing is near.
		"xyzzy":           "hint: see: providerctl --help\n",
		"x":               "hint: see: providerctl --help\n",
		"frobnicate":      "hint: see: providerctl --help\n",
		"ollama":          "hint: see: providerctl --help\n",
		"help xyzzy":      "hint: see: providerctl --help\n",
		"status --xyzzy":  "hint: see: providerctl status --help\n",
		"status -x":       "hint: see: providerctl status --help\n",
		"status -é":       "no such flag: -é\nproviderctl: hint: see: providerctl status --help\n",
		"status -z 5s":    "hint: see: providerctl status --help\n",
		"status -o toml":  "hint: use one of: table, wide, name, json, yaml\n",
		"wait a --for up": "hint: for example: --for RUNNING,DEGRADED\n",
		"-x":              "providerctl: no such flag: -x\nproviderctl: hint: see: providerctl --help\n",
	} {
		t.Run(args, func(t *testing.T) {
			run(t.Context(), strings.Fields(args)...).want(t, 2, "", hint)
		})
	}
}

// The daemon's suggestions reach the user.
func TestUsage_SuggestsProviders(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status?provider_id=olama": {refused(404,
		`{"error":{"code":"unknown_provider","message":"no such provider: \"olama\"","hint":"did you mean: ollama"}}`)}})
	d.run(t, "status", "olama").want(t, 5, "", "no such provider: \"olama\"\nproviderctl: hint: did you mean: ollama\n")
}

// A time after --wait is taken for an ID, and the hint corrects that.
func TestRefresh_SaysHowLongToWait(t *testing.T) {
	unknown := refused(404, `{"error":{"code":"unknown_provider","message":"no such provider: \"5s\"","hint":"configured: a"}}`)
	d := startDaemon(t, map[string][]reply{"POST /api/providers/refresh?provider_id=a&provider_id=5s&wait=15s": {unknown},
		"POST /api/providers/refresh?provider_id=5s": {unknown}})
	d.run(t, "refresh", "a", "--wait", "5s").want(t, 5, "", "hint: did you mean: --wait --timeout 5s\n")
	d.run(t, "refresh", "a", "--wait", "5s", "-o", "json").want(t, 5, "", "hint: did you mean: --wait --timeout 5s\n")
	d.run(t, "refresh", "5s").want(t, 5, "", "hint: configured: a\n")
}

func TestHelp_OfATopic(t *testing.T) {
	for args, says := range map[string]string{
		"help": "Available Commands:", "help status": "Show the status of each provider", "help completion bash": "source <(providerctl completion bash)",
		"--help status": "Show the status of each", "status --help": "Show the status of each",
	} {
		run(t.Context(), strings.Fields(args)...).want(t, 0, says, "")
	}
}

// A word in SuggestFor that is a command would never be used, and two commands that have
// the same word must have it at different places.
func TestCommands_GoByOtherWords(t *testing.T) {
	commands := ctl.Commands().Commands()
	type claim struct {
		word string
		rank int
	}
	claims := map[claim]string{}
	for _, cmd := range commands {
		for rank, word := range cmd.SuggestFor {
			if slices.ContainsFunc(commands, func(c *command.Command) bool { return c.Name() == word }) || word != strings.ToLower(word) {
				t.Errorf("%s: %q is never looked for", cmd.Name(), word)
			}
			if other := claims[claim{word, rank}]; other != "" {
				t.Errorf("%q is as much %s as %s", word, cmd.Name(), other)
			}
			claims[claim{word, rank}] = cmd.Name()
		}
	}
	if len(claims) < 10 {
		t.Errorf("only %d words", len(claims))
	}
}
