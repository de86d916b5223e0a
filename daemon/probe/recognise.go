package probe

// recognise names the kind that an answer can only have come from, or a server
// that has no kind of its own yet; "" when the shape is nobody's in particular.
func (p *Prober) recognise(a *answer) string {
	for _, k := range p.kinds {
		if k.marks != nil && k.marks(a) {
			return k.title
		}
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
