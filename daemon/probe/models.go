package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/providerd/providerd/daemon/probe/loose"
	"github.com/providerd/providerd/store/provider"
)

// maxModels is the limit for a list. A longer one counts as unknown: with only part of it,
// a model that is there would look missing.
const maxModels = 10000

// A modelList is OpenAI's answer to GET /models, with what others add to it.
type modelList struct {
	object string // "list", if given
	models []provider.Model
	owner  string // the first model's owned_by
	long   bool   // more than maxModels
}

// listedModel is one of its rows: OpenAI's id, and the extras of others: of
// llama.cpp (aliases, meta, status), of vLLM (max_model_len), and as noted.
type listedModel struct {
	ID      string          `json:"id"`
	Aliases json.RawMessage `json:"aliases"` // Mistral too
	OwnedBy string          `json:"owned_by"`
	MaxLen  int64           `json:"max_model_len"`
	Context int64           `json:"context_length"`     // OpenRouter, Together, Moonshot, Fireworks
	MaxCtx  int64           `json:"max_context_length"` // Mistral
	Window  int64           `json:"context_window"`     // Groq
	Meta    struct {
		Size    int64 `json:"size"`
		Context int64 `json:"n_ctx_train"`
	} `json:"meta"`
	Status struct {
		Value  string `json:"value"`
		Failed bool   `json:"failed"`
	} `json:"status"`
	Providers []struct { // Hugging Face: where it can be routed to
		Context int64 `json:"context_length"`
	} `json:"providers"`

	bare bool // it is only a name
}

// named makes a row that is only a name.
func (row *listedModel) named(name string) { row.ID, row.bare = name, true }

// maxAliases is how many of a model's other names are read.
const maxAliases = 32

// aliases are the other names by which callers may ask for the model.
func (row *listedModel) aliases() (others []string) {
	_, _ = rows(row.Aliases, func(name *string) { // none if it is not a list
		if *name != "" && *name != row.ID && len(others) < maxAliases && !slices.Contains(others, *name) {
			others = append(others, *name)
		}
	})
	return others
}

// context is the longest context length in the row.
func (row *listedModel) context() int64 {
	longest := max(row.Context, row.MaxCtx, row.Window, row.MaxLen, row.Meta.Context, 0)
	for i := range row.Providers {
		longest = max(longest, row.Providers[i].Context)
	}
	return longest
}

// readList reads {"data": [...]}, whose rows may be plain names, or a bare array of
// models.
func readList(a *answer) (modelList, bool) {
	return readRows(a, func(*listedModel, *provider.Model) {})
}

// readRows is readList with a function that decides about each row.
func readRows(a *answer, each func(*listedModel, *provider.Model)) (modelList, bool) {
	raw := json.RawMessage(bytes.TrimSpace(a.body))
	var list modelList
	var names bool // a row may be a name
	switch {
	case len(raw) > 0 && raw[0] == '{':
		names = true
		var envelope struct {
			Object string          `json:"object"`
			Data   json.RawMessage `json:"data"`
		}
		if !a.decode(&envelope) {
			return list, false
		}
		raw, list.object = orEmpty(envelope.Data, envelope.Object), envelope.Object
	case !a.isJSON(): // a decoder would take "[" for an empty list
		return list, false
	}
	list.models = []provider.Model{}
	var named bool
	n, ok := rows(raw, func(row *listedModel) {
		if row.ID == "" || row.bare && !names {
			return
		}
		named = true
		if len(list.models) == 0 {
			list.owner = row.OwnedBy
		}
		m := provider.Model{ID: row.ID, Aliases: row.aliases(), Size: max(row.Meta.Size, 0), ContextLength: row.context()}
		each(row, &m)
		list.models = append(list.models, m)
	})
	list.long = n > maxModels
	return list, ok && (named || n == 0)
}

// served reads a list whose models are all in memory.
func served(a *answer, f *Facts) {
	loaded := []string{}
	list, ok := readRows(a, func(_ *listedModel, m *provider.Model) {
		is := true
		m.Loaded = &is
		loaded = append(loaded, m.ID)
	})
	switch known := list.facts(); {
	case !ok:
	case list.long:
		f.Note = known.Note
	default:
		f.Models, f.Loaded = known.Models, loaded
	}
}

// facts are what the list says about its provider.
func (l modelList) facts() Facts {
	if l.long {
		return Facts{Note: fmt.Sprintf("it lists more than %d models", maxModels)}
	}
	return Facts{Models: l.models}
}

// readModels reads a fact: a list of nothing but models.
func readModels(a *answer, f *Facts) {
	list, ok := readList(a)
	if !ok {
		return
	}
	listed := list.facts()
	f.Models = listed.Models
	if listed.Note != "" {
		f.Note = listed.Note
	}
}

// rows calls each for the rows of a JSON array, one at a time, so that a long
// list is never in memory as rows and as models both. It returns how many there
// are, counting no further than maxModels+1, and whether raw, which is valid JSON
// or empty, is an array.
func rows[T any](raw json.RawMessage, each func(*T)) (n int, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return 0, false
	}
	for ; dec.More(); n++ {
		if n == maxModels {
			return n + 1, true
		}
		var one json.RawMessage
		if dec.Decode(&one) != nil {
			return n, false
		}
		var row T
		if name, ok := any(&row).(interface{ named(string) }); ok && one[0] == '"' {
			name.named(loose.Word(one))
		} else if !loose.Decode(one, &row) {
			continue
		}
		each(&row)
	}
	return n, true
}

// markLoaded marks each model as loaded or not.
func markLoaded(f *Facts) {
	loaded := make(map[string]bool, len(f.Loaded))
	for _, id := range f.Loaded {
		loaded[id] = true
	}
	for i := range f.Models {
		is := loaded[f.Models[i].ID]
		f.Models[i].Loaded = &is
	}
}

// modelRows calls each for the rows of {"models": [...]}.
func modelRows[T any](a *answer, each func(*T)) (n int, ok bool) {
	var body struct {
		Models json.RawMessage `json:"models"`
	}
	if !a.decode(&body) {
		return 0, false
	}
	if string(body.Models) == "null" { // how Go servers write an empty list
		return 0, true
	}
	return rows(body.Models, each)
}

// dataRows calls each for the rows of {"data": [...]}.
func dataRows[T any](a *answer, each func(*T)) (n int, ok bool) {
	var body struct {
		Object string          `json:"object"`
		Data   json.RawMessage `json:"data"`
	}
	if !a.decode(&body) {
		return 0, false
	}
	return rows(orEmpty(body.Data, body.Object), each)
}

// orEmpty is the data of an object that calls itself a list. Go servers write an empty one
// as null; a missing one is not empty.
func orEmpty(data json.RawMessage, object string) json.RawMessage {
	if object == "list" && string(data) == "null" {
		return json.RawMessage("[]")
	}
	return data
}

// add adds a model, also to the loaded ones if it is loaded.
func (f *Facts) add(m provider.Model) {
	f.Models = append(f.Models, m)
	if m.Loaded != nil && *m.Loaded {
		f.Loaded = append(f.Loaded, m.ID)
	}
}

// limited drops a list that is longer than maxModels.
func (f Facts) limited(n int) Facts {
	if n > maxModels {
		return Facts{Note: fmt.Sprintf("it lists more than %d models", maxModels)}
	}
	return f
}
