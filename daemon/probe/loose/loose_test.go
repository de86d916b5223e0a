package loose_test

import (
	"encoding/json"
	"testing"

	"github.com/providerd/providerd/daemon/probe/loose"
)

// A member of another type is left empty, without affecting the others. What is not JSON,
// or another kind of value, is not read.
func TestDecode(t *testing.T) {
	type list struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	}
	for body, want := range map[string]struct {
		list
		read bool
	}{
		`{"name":"a","size":7}`:             {list{"a", 7}, true},
		`{"name":"a","size":"7"}`:           {list{"a", 0}, true},
		`{"name":["a"],"size":7}`:           {list{"", 7}, true},
		`{"name":"a","size":7`:              {list{}, false},
		`{"name":"a"} {}`:                   {list{}, false},
		`["a",7]`:                           {list{}, false},
		`"a"`:                               {list{}, false},
		``:                                  {list{}, false},
		`{"size":1e999,"name":"a"}`:         {list{"a", 0}, true},
		`{"name":null,"size":7,"other":[]}`: {list{"", 7}, true},
	} {
		var got list
		if read := loose.Decode([]byte(body), &got); read != want.read || read && got != want.list {
			t.Errorf("%s: %+v, %v, want %+v, %v", body, got, read, want.list, want.read)
		}
	}
}

func TestWord(t *testing.T) {
	for raw, want := range map[string]string{`"a\u00e9"`: "aé", `""`: "", `7`: "", `null`: "", `["a"]`: "", `"a`: "", ``: ""} {
		if got := loose.Word(json.RawMessage(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
