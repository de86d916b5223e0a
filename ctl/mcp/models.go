package mcp

import (
	"context"
	"fmt"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// mostRead is how many lists of models a call reads.
const mostRead = 64

type modelsInput struct {
	ID       string `json:"id,omitempty" jsonschema:"of one provider; without it, of those that can be used"`
	Contains string `json:"contains,omitempty" jsonschema:"only models whose name contains this"`
}

type modelsAnswer struct {
	Total  int       `json:"total" jsonschema:"how many models match"`
	Models []modelOf `json:"models"`
	More   int       `json:"more,omitempty" jsonschema:"how many are left out here; use contains to see them"`
	Unread int       `json:"providers_not_read,omitempty" jsonschema:"how many providers were not looked at; name one by id"`
	Hint   string    `json:"hint,omitempty" jsonschema:"what to do next"`
}

type modelOf struct {
	Model    string `json:"model"`
	Provider string `json:"provider"`
	Loaded   bool   `json:"loaded,omitempty" jsonschema:"it is in memory"`
}

func (s *server) models(ctx context.Context, in modelsInput) (modelsAnswer, error) {
	ids, unread, err := s.listing(ctx, in.ID)
	if err != nil {
		return modelsAnswer{}, err
	}
	var all []modelOf
	for _, id := range ids {
		list, err := s.client.Models(ctx, id)
		if err != nil {
			return modelsAnswer{}, err
		}
		all = appendModels(all, list, in.Contains)
	}
	return modelsAnswerOf(all, unread, in), nil
}

// listing is which providers' lists are wanted, and how many more there are.
func (s *server) listing(ctx context.Context, id string) (ids []string, unread int, err error) {
	if id != "" {
		return []string{id}, 0, checkID(id)
	}
	reply, err := s.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return nil, 0, err
	}
	for i := range reply.Providers {
		if row := &reply.Providers[i]; row.Type != provider.Generic && usableNow(row, reply.TS.Time) {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) > mostRead {
		ids, unread = ids[:mostRead], len(ids)-mostRead
	}
	return ids, unread, nil
}

// appendModels adds the models of a list whose name or alias contains a word, in any case.
func appendModels(all []modelOf, list *provider.ModelsReply, word string) []modelOf {
	word = strings.ToLower(word)
	for _, m := range list.Models {
		for _, name := range append([]string{m.ID}, m.Aliases...) {
			if strings.Contains(strings.ToLower(name), word) {
				all = append(all, modelOf{clip(m.ID, 80), list.ID, m.Loaded != nil && *m.Loaded})
				break
			}
		}
	}
	return all
}

func modelsAnswerOf(all []modelOf, unread int, in modelsInput) modelsAnswer {
	hint := ""
	switch {
	case len(all) > 0:
	case in.Contains != "":
		hint = "call list_models without contains"
	case in.ID != "":
		hint = "its list is empty or not known; call provider_status"
	default:
		hint = "no provider that can be used lists models; call provider_status"
	}
	return fit(len(all), func(items int) modelsAnswer {
		return modelsAnswer{Total: len(all), Models: append([]modelOf{}, all[:items]...), More: len(all) - items, Unread: unread, Hint: hint}
	})
}

func (a modelsAnswer) words() string {
	var b strings.Builder
	plural := "s"
	if a.Total == 1 {
		plural = ""
	}
	fmt.Fprintf(&b, "%d model%s", a.Total, plural)
	before := ""
	for _, m := range a.Models {
		if m.Provider != before {
			b.WriteString("\n" + m.Provider + ": ")
		} else {
			b.WriteString(", ")
		}
		before = m.Provider
		b.WriteString(m.Model)
		if m.Loaded {
			b.WriteString(" (loaded)")
		}
	}
	if a.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", a.More)
	}
	if a.Unread > 0 {
		fmt.Fprintf(&b, "\n%d providers were not looked at", a.Unread)
	}
	if a.Hint != "" {
		b.WriteString("\n" + a.Hint)
	}
	return b.String()
}
