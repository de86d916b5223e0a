package ctl

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) exportCommand() *command.Command {
	q := newPickQuery()
	q.form = formatRun // it must have a URL
	var all bool
	names := namesOfPrograms()
	cmd := &command.Command{
		Use:   "export PROGRAM [ID…]",
		Short: "Print the configuration that makes a program use the providers",
		Long: `Print what to put into the configuration of PROGRAM so that it uses the providers that
are usable now, or those of them that are named. PROGRAM is ` + listOfPrograms() + `.

The best one, as pick chooses, comes first and serves by default; a program that uses one
provider at a time gets that one. With --model, only providers that list the model count,
and only that model is configured. With --all the state does not matter. With --fleet, the
servers of other machines count too, if their machines let others reach them.

The result has the names of variables, never a key. Where it belongs, what it needs, and
what was left out and why, is said in its comments or on standard error. A provider whose
models are not known is left out without --model, and so is one without the API that the
program speaks: Claude Code needs Anthropic's messages, Codex OpenAI's responses.

It exits 1 with the reasons if there is nothing to configure.`,
		Example: `  providerctl export opencode > opencode.json
  providerctl export codex ollama --model qwen3:8b
  providerctl export cline | sh`,
		Args: func(cmd *command.Command, words []string) error {
			if err := args(1, -1)(cmd, words); err != nil {
				return err
			}
			if programNamed(words[0]) == nil {
				return usage(provider.DidYouMean(words[0], names, "providerctl export ", "use one of: "+strings.Join(names, ", ")), "export: no such program: %q", words[0])
			}
			return nil
		},
		Complete: func(cmd *command.Command, words []string, typed string) ([]string, command.Directive) {
			if len(words) == 0 {
				return names, command.NoFiles
			}
			return a.completeIDs(-1)(cmd, words[1:], typed)
		},
	}
	cmd.Flags().StringVar(&q.model, "model", "", "only the model `NAME`, of those that list it").Complete = a.completeModels
	cmd.Flags().BoolVar(&q.fleet, "fleet", false, "also servers of other machines of the fleet")
	cmd.Flags().BoolVar(&all, "all", false, "also providers that cannot be used now")
	cmd.Run = func(cmd *command.Command, words []string) error {
		if err := q.of(cmd, words[1:]); err != nil {
			return err
		}
		return a.export(cmd.Context(), programNamed(words[0]), q, all)
	}
	return cmd
}

// An exported is a provider as it is configured in a program.
type exported struct {
	candidate
	name    string // in the program: its own, so that no built-in provider is meant
	url     string // of the API that the program speaks
	keyEnv  string // the variable that holds the key; empty: none is needed
	keyless bool   // keyEnv is not set here
	models  []provider.Model
	model   string // to use by default; empty: the program knows one
}

func (a *app) export(ctx context.Context, p *program, q pickQuery, all bool) error {
	if q.fleet {
		others, err := a.theFleet(ctx)
		if err != nil {
			return err
		}
		q.others = others
	}
	usable, no, err := a.exportable(ctx, q, all)
	if err != nil {
		return err
	}
	found, notes, err := a.configured(ctx, p, q, usable)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		for _, note := range notes {
			a.say("%s", note)
		}
		a.sayRejected(q, no)
		return errNo
	}
	if p.one {
		found = found[:1]
	}
	notes = slices.Insert(notes, 0, p.place)
	for i := range found {
		if note := p.note(&found[i]); note != "" {
			notes = append(notes, note)
		}
	}
	var text strings.Builder
	for _, note := range notes {
		if p.comment == "" {
			a.say("%s", note)
		} else {
			text.WriteString(p.comment + provider.Printable(note) + "\n")
		}
	}
	text.Write(p.write(found))
	_, err = a.data.Write([]byte(text.String()))
	return err
}

// exportable returns the providers that can be used, the best first, and why the others
// cannot. With all, those that only need to get better count, too.
func (a *app) exportable(ctx context.Context, q pickQuery, all bool) ([]candidate, []rejected, error) {
	reply, err := a.wanted(ctx, &q, client.StatusQuery{})
	if err != nil {
		return nil, nil, err
	}
	usable, no := sift(reply, q)
	if len(usable) == 0 && !all {
		if reply, err = a.probeStale(ctx, &q, reply); err != nil {
			return nil, nil, err
		}
		usable, no = sift(reply, q)
	}
	if !all {
		return usable, no, nil
	}
	for i := range reply.Providers {
		c := candidate{Status: reply.Providers[i]}
		known := func(u candidate) bool { return u.ID == c.ID }
		if isRemote(c.ID) && !reachesHere(c.Endpoint) {
			continue
		}
		if why, _ := c.unreachable(); why == "" && c.Type != provider.Generic && !slices.ContainsFunc(usable, known) {
			usable = append(usable, c)
			no = slices.DeleteFunc(no, func(r rejected) bool { return r.ID == c.ID })
		}
	}
	return usable, no, nil
}

// configured returns the providers as the program is to use them, and what to say about
// those that are left out.
func (a *app) configured(ctx context.Context, p *program, q pickQuery, usable []candidate) (found []exported, notes []string, err error) {
	var unlisted []exported // the last resort for a model
	taken := map[string]bool{}
	for i := range usable {
		e := exported{candidate: usable[i]}
		var why string
		if e.url, why = p.address(&e.candidate); e.url == "" || why != "" && len(q.ids) == 0 {
			notes = append(notes, e.ID+": "+why)
			continue
		}
		if e.name = nameFor(e.ID); taken[e.name] {
			e.name += "-" + fmt.Sprint(i)
		}
		taken[e.name] = true
		e.keyEnv, e.keyless = a.keyFor(&e)
		list, err := a.modelsOf(ctx, &q, &e.candidate)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case q.model != "" && provider.Lists(e.Kind, list.Models, q.model):
			e.choose(p, list.Models, q.model)
			found = append(found, e)
		case q.model != "" && list.CheckedAt.IsZero():
			e.choose(p, nil, q.model)
			unlisted = append(unlisted, e)
		case q.model != "":
			notes = append(notes, e.ID+": it does not list "+q.model)
		default:
			if odd := e.choose(p, list.Models, ""); odd > 0 {
				notes = append(notes, fmt.Sprintf("%s: %d of its models are left out, because %s would misread their names", e.ID, odd, p.title))
			}
			if p.knowsModels(&e) {
				e.model = ""
			} else if e.model == "" {
				notes = append(notes, e.ID+": its models are not known; name one: --model NAME")
				continue
			}
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		found = unlisted
	}
	return found, notes, nil
}

// choose sets the models: the wanted one, or all but those whose names the program would
// misread; it returns how many these are.
func (e *exported) choose(p *program, models []provider.Model, wanted string) (odd int) {
	for _, m := range models {
		switch {
		case wanted != "":
			if m.ID == wanted || slices.Contains(m.Aliases, wanted) || m.ID == wanted+":latest" {
				m.ID = wanted
				e.models = []provider.Model{m}
			}
		case !p.canName(m.ID):
			odd++
		case !slices.ContainsFunc(e.models, func(other provider.Model) bool { return other.ID == m.ID }):
			e.models = append(e.models, m)
		}
	}
	if wanted != "" {
		if e.model = wanted; e.models == nil {
			e.models = []provider.Model{{ID: wanted}}
		}
		return 0
	}
	for _, m := range e.models {
		switch chats := roleOf(m.ID) == roleChat; {
		case !chats:
		case slices.Contains(e.LoadedModels, m.ID) || m.Loaded != nil && *m.Loaded:
			e.model = m.ID
			return odd
		case e.model == "":
			e.model = m.ID
		}
	}
	return odd
}

// keyFor is the variable that holds a provider's key, and whether it is not set here. For a
// local server that is none if the variable is not set: most of them want no key.
func (a *app) keyFor(e *exported) (name string, unset bool) {
	if e.Client == nil {
		return "", false
	}
	told := *e.Client
	var environ []string
	if a.Environ != nil {
		environ = a.Environ()
	}
	if told.KeyEnvGuessed || told.KeyEnv == "" && told.KeyInFile {
		name = variableFor(e.name)
		return name, valueOf(environ, name) == ""
	}
	unset = told.KeyEnv != "" && valueOf(environ, told.KeyEnv) == ""
	if unset && e.Type != provider.Cloud && !told.KeyInFile || !isVariable(told.KeyEnv) {
		return "", false
	}
	return told.KeyEnv, unset
}

// nameFor is a provider's name in a program. It has only small letters and, between
// hyphens, numbers, of which every program makes the same variable.
func nameFor(id string) string {
	name := []byte("providerd-")
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := range len(id) {
		last := name[len(name)-1]
		switch c := id[i]; {
		case c < 'a' || c > 'z':
			if !digit(c) {
				c = '-'
			}
			if last != '-' && (c == '-' || !digit(last)) {
				name = append(name, '-')
			}
			if c != '-' {
				name = append(name, c)
			}
		default:
			if digit(last) {
				name = append(name, '-')
			}
			name = append(name, c)
		}
	}
	return strings.TrimSuffix(string(name), "-")
}

// variableFor is the variable for the key of the provider with that name.
func variableFor(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_API_KEY"
}
