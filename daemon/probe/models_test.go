package probe

import (
	"encoding/json"
	"testing"
)

// FuzzModelList: no body makes a list reader crash, or find models in what is not JSON.
func FuzzModelList(f *testing.F) {
	for _, v := range []string{"", "null", "[]", "{}", `{"data":[]}`, `{"data":null}`, `{"models":null}`,
		`{"object":"list","data":[{"id":"a","meta":{"size":1e400},"status":{"value":"loading"}}]}`,
		`[{"id":7}]`, `{"models":[{"name":"a","key":"b","loaded_instances":[{}]}],"has_more":false}`,
		`{"data":[`, "\xff", `[[[[[`, `{"data":[{"id":"a"}]}x`} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &answer{status: 200, body: body}
		for name, accept := range map[string]func(*answer) (Facts, bool){
			"openai": openaiList, "lmstudio v1": lmstudioV1, "lmstudio v0": lmstudioV0, "anthropic": anthropic.accept,
		} {
			facts, ok := accept(a)
			if ok && !json.Valid(body) {
				t.Errorf("%s: %q was accepted", name, body)
			}
			if ok && facts.Models == nil && facts.Note == "" && name != "anthropic" {
				t.Errorf("%s: %q has no list, empty or not", name, body)
			}
		}
		var known Facts
		ollamaTags(a, &known)
		ollamaLoaded(a, &known)
		llamaModels(a, &known)
		llamaProps(a, &known)
		_ = a.complaint()
	})
}
