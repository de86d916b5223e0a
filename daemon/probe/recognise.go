package probe

import "github.com/providerd/providerd/store/provider"

// intruder names the server that refuses or fails in another one's place: what it
// complains of, a key or a model that loads, is not what is wrong. A server that
// stands for any other, or before a vendor's API, is in its own place.
func (r *run) intruder(a *answer) string {
	if r.p.kind.Type != provider.Local || r.p.kind.anybody {
		return ""
	}
	if k := r.p.marked(a); k != nil && k != r.p.kind {
		return k.title
	}
	return ""
}

// marked is the kind that an answer can only have come from; nil when it can be
// anybody's.
func (p *Prober) marked(a *answer) *kind {
	for _, k := range p.kinds {
		if k.marks != nil && k.marks(a) {
			return k
		}
	}
	return nil
}

// recognise names the kind that an answer can only have come from, or a server
// that has no kind of its own yet; "" when the shape is nobody's in particular.
func (p *Prober) recognise(a *answer) string {
	if k := p.marked(a); k != nil {
		return k.title
	}
	list, ok := readList(a)
	if !ok {
		return ""
	}
	if name := owners[list.owner]; name != "" {
		return name
	}
	if list.object == "list" {
		return "an OpenAI-compatible server"
	}
	return ""
}

// owners are the owned_by values by which servers of OpenAI's model list give
// themselves away.
var owners = map[string]string{
	"library":            "Ollama",
	"organization_owner": "LM Studio",
	"llamacpp":           "llama.cpp",
	"vllm":               "vLLM",
	"sglang":             "SGLang",
	"koboldcpp":          "KoboldCpp",
}

// unownedList takes a model list that is not another server's by its owner.
func unownedList(a *answer) (Facts, bool) {
	list, ok := readList(a)
	return list.facts(), ok && list.object == "list" && owners[list.owner] == ""
}
