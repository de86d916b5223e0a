//go:build unix

package cmd_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// What bash offers comes from the running daemon, and does so with a script that was
// installed long ago: testdata has one that was made when the programs were built on cobra.
func TestCompletion_Bash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	config := patiently
	for _, id := range []string{"alpha", "beta", "bravo"} {
		config += fmt.Sprintf("[[provider]]\nid = %q\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\n", id)
	}
	p := newProcess(t, config).start()
	for _, script := range []string{"source testdata/completion.bash", `source <(providerctl completion bash)`} {
		for line, want := range map[string]string{
			"providerctl is-running b":         "beta bravo",
			"providerctl is-running a":         "alpha",
			"providerctl status beta b":        "bravo",
			"providerctl status --outp":        "--output",
			"providerctl status -o w":          "wide",
			"providerctl wait beta --for DEGR": "DEGRADED",
			"providerctl he":                   "health help",
			"providerctl pick --prefer=f":      "fastest",
		} {
			t.Run(script+"/"+line, func(t *testing.T) {
				words := strings.Fields(line)
				// Of the package bash-completion no more than the script needs.
				cmd := exec.Command(bash, "-c", script+`
					_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}; }
					compopt() { :; }
					COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9 COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
					__start_providerctl
					for choice in "${COMPREPLY[@]}"; do echo "${choice%% *}"; done`, "bash")
				cmd.Args = append(cmd.Args, words...)
				cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "PROVIDERD_SOCKET=" + p.socket}
				var talk strings.Builder
				cmd.Stderr = &talk
				out, err := cmd.Output()
				if got := strings.Join(strings.Fields(string(out)), " "); got != want || err != nil {
					t.Errorf("offers %q, want %q (%v)\n%s", got, want, err, &talk)
				}
			})
		}
	}
}
