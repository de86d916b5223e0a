package probe

import "github.com/providerd/providerd/store/provider"

// intruder names the server that refuses or fails in another one's place: its complaint,
// about a key or a loading model, is not the actual problem. A server that stands for any
// other, or in front of a vendor's API, is in its own place.
func (r *run) intruder(a *answer) string {
	if r.p.kind.Type != provider.Local || r.p.kind.anybody {
		return ""
	}
	if k := r.p.marked(a); k != nil && k != r.p.kind {
		return k.title
	}
	return ""
}

// marked is the only kind that gives such an answer; nil if it may be anybody's.
func (p *Prober) marked(a *answer) *kind {
	for _, k := range p.kinds {
		if k.marks != nil && k.marks(a) {
			return k
		}
	}
	return nil
}

// recognise names the only kind that gives such an answer, or a server that has no kind of
// its own; "" if many servers give it.
func (p *Prober) recognise(a *answer) string {
	if k := p.marked(a); k != nil {
		return k.title
	}
	list, ok := readList(a)
	if !ok {
		return ""
	}
	if k := p.ownerOf(list); k != nil {
		return k.title
	}
	if list.object == "list" {
		return "an OpenAI-compatible server"
	}
	return ""
}

// ownerOf is the kind that a list's owned_by shows; nil if it may be anybody's.
func (p *Prober) ownerOf(list modelList) *kind {
	for _, k := range p.kinds {
		if k.ownedBy != "" && k.ownedBy == list.owner {
			return k
		}
	}
	return nil
}

// unownedList accepts a model list unless its owner shows that it is another kind's.
func unownedList(a *answer) (Facts, bool) {
	list, ok := readList(a)
	k := a.prober.ownerOf(list)
	return list.facts(), ok && list.object == "list" && (k == nil || k == a.prober.kind)
}
