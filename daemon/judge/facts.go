package judge

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Facts are what was learned of a server besides its state.
type Facts struct {
	Models   []provider.Model // as last listed; nil if unknown
	ModelsAt time.Time
	Note     string // what was said about the models, such as "a model is loading"
}

// learn stores what a probe learned, and when it began. Facts are kept while probes do not
// ask for them, and forgotten when the server is gone or has been replaced.
func (r *Record) learn(o *probe.Observation, p *config.Provider) {
	st, f := &r.Status, &o.Facts
	st.CheckedAt = provider.Time{Time: o.Began}
	st.PortListening, st.APIResponding = o.PortListening, o.APIResponding
	st.PID, st.PIDExists = int32(o.PID), o.PIDExists
	st.Busy = busyAfter(st.Busy, o)
	st.KeyWithheld = o.KeyWithheld
	st.Endpoint = p.Endpoint
	if o.Endpoint != "" {
		st.Endpoint = o.Endpoint
	}
	if o.Saw == provider.ConnectionRefused || o.Saw == provider.WrongService && (!o.Refusal || int(r.Run.Doubts) >= p.Fall) {
		r.Facts, r.Limits = Facts{}, r.Limits.forget()
		st.Version, st.ModelsCount, st.LoadedModels = "", nil, nil
		return
	}
	r.Limits = r.Limits.answered(o.Limits, provider.FromProbe, p, o.Ended())
	if f.Version != "" {
		st.Version = f.Version
	}
	if f.Models != nil || f.Note != "" { // the probe asked for the facts
		r.Note = f.Note
	}
	if f.Models != nil {
		r.Models, r.ModelsAt = f.Models, o.Began
		n := len(f.Models)
		st.ModelsCount = &n
	}
	if f.Loaded != nil {
		st.LoadedModels = f.Loaded
	}
}

// busyAfter is how busy the server is according to a probe. It is kept while probes do not
// ask for it, and not known of a server that does not answer well. One that has not changed
// stays the same value, so that it takes no memory.
func busyAfter(before *provider.Busy, o *probe.Observation) *provider.Busy {
	switch {
	case o.Saw != provider.OK:
		return nil
	case !o.Facts.LoadAsked, before != nil && o.Facts.Busy != nil && before.Equal(*o.Facts.Busy):
		return before
	}
	return o.Facts.Busy
}

// missingModels are the models that the configuration requires but the provider does not
// list.
func missingModels(p *config.Provider, have []provider.Model) []string {
	var missing []string
	for _, want := range p.Models {
		if !provider.Lists(p.Kind, have, want) {
			missing = append(missing, want)
		}
	}
	return missing
}

// list joins names for people, and counts those that would make it too long.
func list(names []string) string {
	const shown = 5
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}
