package ctl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// single reports whether the words are exactly one ID, so that only that provider is
// requested.
func single(words []string) bool { return len(words) == 1 && !provider.IsGlob(words[0]) }

// named returns the IDs that words mean. It fails if one of several means nothing, so that
// a command acts on all of them or on none.
func (a *app) named(ctx context.Context, words []string) ([]string, error) {
	if single(words) {
		return words, nil
	}
	rows, err := a.rowsOf(ctx, words)
	return idsOf(rows), err
}

// rowsOf returns the rows that words mean, in the order of the words; all without words.
func (a *app) rowsOf(ctx context.Context, words []string) ([]provider.Status, error) {
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil || len(words) == 0 {
		return rowsIn(reply), err
	}
	ids, err := match(words, idsOf(reply.Providers))
	return inOrder(reply.Providers, ids), err
}

func rowsIn(reply *provider.StatusReply) []provider.Status {
	if reply == nil {
		return nil
	}
	return reply.Providers
}

// inOrder returns the rows of the IDs that have one, in the order of the IDs.
func inOrder(rows []provider.Status, ids []string) []provider.Status {
	at := make(map[string]int, len(rows))
	for i := range rows {
		at[rows[i].ID] = i
	}
	found := make([]provider.Status, 0, len(ids))
	for _, id := range ids {
		if i, ok := at[id]; ok {
			found = append(found, rows[i])
		}
	}
	return found
}

// typed is words as they would be typed again.
func typed(words []string) string {
	line := slices.Clone(words)
	for i, word := range line {
		line[i] = quoted(word)
	}
	return strings.Join(line, " ")
}

// A someFailed is the errors of some of several providers, printed one a line.
type someFailed struct {
	errs []error
	lead error // decides on the exit code
}

// failed combines errors; nil if there is none. The first leads.
func failed(errs ...error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return &someFailed{errs: errs, lead: errs[0]}
}

func (f *someFailed) Error() string   { return errors.Join(f.errs...).Error() }
func (f *someFailed) Unwrap() []error { return append([]error{f.lead}, f.errs...) }

// explainAll prints each message once, and then each hint once.
func (a *app) explainAll(f *someFailed) {
	var messages, hints []string
	add := func(list *[]string, text string) {
		if text != "" && !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	for _, err := range f.errs {
		var e *provider.Error
		switch {
		case errors.As(err, &e):
			add(&messages, e.Message)
			add(&hints, e.Hint)
		case !errors.Is(err, errNo):
			add(&messages, err.Error())
		}
	}
	for _, text := range messages {
		a.say("%s", text)
	}
	for _, text := range hints {
		a.say("hint: %s", text)
	}
}

// atOnce is how many requests are in progress at a time.
const atOnce = 8

// each calls do for each of the IDs, several at a time, and returns the errors in their
// order. If the first fails for a reason that they all share, the others are not tried:
// tried is how many were.
func each(ids []string, do func(id string) error) (errs []error, tried int) {
	errs = make([]error, len(ids))
	if errs[0] = do(ids[0]); isShared(errs[0]) {
		return errs, 1
	}
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := 1; i < len(ids); i++ {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = do(ids[i])
			<-slots
		})
	}
	all.Wait()
	return errs, len(ids)
}

// isShared reports whether an error is not about the one provider.
func isShared(err error) bool {
	var e *provider.Error
	if errors.Is(err, context.Canceled) {
		return true
	}
	return errors.As(err, &e) && (e.Code == provider.DaemonUnreachable || e.Code == provider.Denied || e.Code == provider.TimedOut || e.Code == provider.ShuttingDownNow)
}
