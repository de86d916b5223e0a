package ctl

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

func TestMatch(t *testing.T) {
	ids := []string{"ollama", "ollama:gpu", "gpu-1", "gpu-2", "gpu-10", "openai", "a.b_c"}
	words := func(w ...string) []string { return w }
	for name, tc := range map[string]struct {
		patterns, want []string
		code           provider.Code
		says, hint     string
	}{
		"None":                {nil, nil, "", "", ""},
		"All":                 {words("*"), ids, "", "", ""},
		"AnID":                {words("openai"), words("openai"), "", "", ""},
		"AnIDIsNoBeginning":   {words("ollama"), words("ollama"), "", "", ""},
		"Star":                {words("gpu*"), words("gpu-1", "gpu-2", "gpu-10"), "", "", ""},
		"StarInside":          {words("o*a"), words("ollama"), "", "", ""},
		"StarPassesEachSign":  {words("o*gpu"), words("ollama:gpu"), "", "", ""},
		"StarMayBeNothing":    {words("ollama*"), words("ollama", "ollama:gpu"), "", "", ""},
		"OneCharacter":        {words("gpu-?"), words("gpu-1", "gpu-2"), "", "", ""},
		"OneOf":               {words("gpu-[12]"), words("gpu-1", "gpu-2"), "", "", ""},
		"Between":             {words("gpu-[2-9]"), words("gpu-2"), "", "", ""},
		"AnotherAsShellsDo":   {words("gpu-[!2]"), words("gpu-1"), "", "", ""},
		"Another":             {words("gpu-[^2]"), words("gpu-1"), "", "", ""},
		"ADotIsADot":          {words("a.*"), words("a.b_c"), "", "", ""},
		"InTheOrderOfWords":   {words("openai", "gpu-2", "ollama"), words("openai", "gpu-2", "ollama"), "", "", ""},
		"EachOnce":            {words("gpu-2", "gpu*", "gpu-2"), words("gpu-2", "gpu-1", "gpu-10"), "", "", ""},
		"NoMatch":             {words("ollama", "tpu*"), nil, provider.UnknownProvider, `no provider matches "tpu*"`, "configured: ollama, ollama:gpu, gpu-1, gpu-2, gpu-10, openai, a.b_c"},
		"NoMatchThatIsNear":   {words("olama*"), nil, provider.UnknownProvider, `no provider matches "olama*"`, "did you mean: ollama"},
		"NoSuchID":            {words("gpu*", "opnai"), nil, provider.UnknownProvider, `no such provider: "opnai"`, "did you mean: openai"},
		"AnOpenBracket":       {words("gpu-[12"), nil, provider.Usage, `bad pattern: "gpu-[12"`, "close the bracket: 'gpu[0-3]'; * means any text, and ? any character"},
		"LettersAreAsWritten": {words("GPU*"), nil, provider.UnknownProvider, `no provider matches "GPU*"`, "did you mean: gpu-1, gpu-2, gpu-10"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := match(tc.patterns, ids)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if tc.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *provider.Error
			if !errors.As(err, &e) || e.Code != tc.code || e.Message != tc.says || e.Hint != tc.hint {
				t.Errorf("got %#v", err)
			}
		})
	}
	t.Run("OfNone", func(t *testing.T) {
		var e *provider.Error
		if _, err := match(words("*"), nil); !errors.As(err, &e) || e.Hint != "none is configured" {
			t.Error(err)
		}
	})
}
