package mcp

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// probeWait is how long a diagnosis waits for its probe.
const probeWait = 15 * time.Second

type diagnoseInput struct {
	ID string `json:"id" jsonschema:"id of the provider"`
}

type diagnoseAnswer struct {
	ID      string  `json:"id"`
	State   string  `json:"state"`
	Reason  string  `json:"reason"`
	Saw     string  `json:"saw,omitempty" jsonschema:"what this probe alone would mean"`
	Fresh   bool    `json:"fresh" jsonschema:"the provider was probed for this answer"`
	Why     string  `json:"not_probed,omitempty" jsonschema:"why it was not"`
	Detail  string  `json:"detail,omitempty"`
	Failed  string  `json:"failed,omitempty" jsonschema:"the layer that failed, and how"`
	Request string  `json:"request,omitempty" jsonschema:"the last request of the probe, and its answer"`
	TookMS  float64 `json:"took_ms,omitempty"`
	Hint    string  `json:"hint,omitempty" jsonschema:"what a person can do about it"`
	Retry   int     `json:"retry_in_seconds,omitempty" jsonschema:"when it is probed again"`
}

func (s *server) diagnose(ctx context.Context, in diagnoseInput) (diagnoseAnswer, error) {
	if err := checkID(in.ID); err != nil {
		return diagnoseAnswer{}, err
	}
	reply, err := s.client.Diagnose(ctx, client.DiagnoseQuery{ID: in.ID, Wait: probeWait})
	if reply == nil {
		return diagnoseAnswer{}, err
	}
	return diagnosisOf(reply, err, time.Now(), s.spell), nil
}

func diagnosisOf(d *provider.DiagnoseReply, late error, now time.Time, spell func(string) string) diagnoseAnswer {
	v := &d.Verdict
	a := diagnoseAnswer{
		ID: d.ID, State: string(v.State), Reason: string(v.Reason), Fresh: d.Skipped == nil && late == nil,
		Detail: clip(v.Detail, 80), Failed: clip(failedLayer(&d.Diagnostics), 90), TookMS: d.TookMS,
		Hint: clip(spell(v.Hint), 100), Retry: secondsUntil(v.NextCheck.Time, now),
	}
	if v.Saw != v.Reason {
		a.Saw = string(v.Saw)
	}
	if n := len(d.Requests); n > 0 {
		e := &d.Requests[n-1]
		a.Request = clip(e.Method+" "+e.URL, 80)
		if e.Status != 0 {
			a.Request += " → " + strconv.Itoa(e.Status)
		}
	}
	switch {
	case d.Skipped != nil:
		a.Why, a.Retry = clip(d.Skipped.Message, 80), cmp.Or(secondsUntil(d.Skipped.RetryAt.Time, now), a.Retry)
	case late != nil:
		a.Why = "the probe took too long"
		if e := (*provider.Error)(nil); errors.As(late, &e) {
			a.Why = clip(e.Message, 80)
		}
	}
	return shortened(a)
}

// shortened leaves out what matters least until the rest fits.
func shortened(a diagnoseAnswer) diagnoseAnswer {
	for _, less := range []*string{&a.Request, &a.Detail, &a.Failed} {
		if size(a) <= most {
			break
		}
		*less = ""
	}
	return a
}

// failedLayer is the first layer that failed, and how. It is empty if none did.
func failedLayer(d *provider.Diagnostics) string {
	switch {
	case d.Resolve != nil && d.Resolve.Error != "":
		return "resolve " + d.Resolve.Host + ": " + d.Resolve.Error
	case dialError(d.Dial) != "":
		return "connect: " + dialError(d.Dial)
	case d.TLS != nil && d.TLS.Error != "":
		return "TLS: " + d.TLS.Error
	}
	for _, e := range d.Requests {
		if e.Error != "" {
			return "request: " + e.Error
		}
	}
	for _, c := range d.Checks {
		if c.Error != "" {
			return "check: " + c.Error
		}
	}
	return ""
}

// dialError is how all attempts to connect failed; empty if one did not, or there was none.
func dialError(steps []provider.DialStep) (why string) {
	for _, step := range steps {
		if step.Error == "" {
			return ""
		}
		why = step.Address + ": " + step.Error
	}
	return why
}

func (a diagnoseAnswer) words() string {
	probed, saw := "", ""
	if !a.Fresh {
		probed = "from its last probe: " + a.Why
	}
	if a.Saw != "" {
		saw = "this probe saw " + a.Saw
	}
	return a.ID + ": " + sentence(a.State+" ("+a.Reason+")", saw, a.Detail, a.Failed, probed, a.Hint)
}
