package probe

import (
	"bytes"
	"context"

	"github.com/providerd/providerd/store/provider"
)

// silentlyOK is the health page that many servers have: 200 without a body. It does not
// show which server it is, so a kind that accepts it has a confirm.
func silentlyOK(a *answer) (Facts, bool) {
	return Facts{}, len(bytes.TrimSpace(a.body)) == 0
}

// confirmAt is the confirm of a kind that is recognised by a page of its own.
func confirmAt(path string, own func(*answer) bool) func(context.Context, *run, *answer) finding {
	return func(ctx context.Context, r *run, _ *answer) finding {
		found := r.judge(r.get(ctx, path), func(a *answer) (Facts, bool) { return Facts{}, own(a) })
		if found.saw == provider.OK {
			return finding{}
		}
		return found
	}
}

// nameOther names the server that does not have the kind's page, by the other pages that
// the kind asks for anyway. It is the reconsider of kinds that share their port with
// others.
func nameOther(ctx context.Context, r *run, a *answer, found finding) finding {
	k := r.p.kind
	if found.saw != provider.WrongService && found.saw != provider.BadResponse ||
		a.status/100 != 4 || r.p.recognise(a) != "" || r.belowV1() {
		return found
	}
	for _, f := range k.facts {
		if f.post || f.private {
			continue
		}
		page := r.get(ctx, f.path)
		if page.err != nil {
			break
		}
		if name := r.p.recognise(page); name != "" && name != k.title && page.status/100 == 2 {
			return finding{saw: provider.WrongService, detail: name + " answers, not " + k.title}
		}
	}
	return found
}
