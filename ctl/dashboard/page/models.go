package page

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A model is one that a provider lists.
type model struct {
	ID, Aliases, Size, Context, Family, Quant string
	Loaded                                    string // "loaded", "not loaded", or empty if unknown
}

func modelOf(m *provider.Model) model {
	out := model{
		ID: m.ID, Aliases: strings.Join(m.Aliases, ", "), Size: ctl.Size(m.Size), Context: ctl.Tokens(m.ContextLength),
		Family: m.Family, Quant: m.Quantization,
	}
	switch {
	case m.Loaded == nil:
	case *m.Loaded:
		out.Loaded = "loaded"
	default:
		out.Loaded = "not loaded"
	}
	return out
}

// A modelsView is which provider has which model. It has a line for each model, and a cell for
// each provider with a list; if there are many of those, the line names the ones with the model
// instead.
type modelsView struct {
	*frame
	Query   string
	Columns []string
	Matrix  bool
	Lines   []modelLine
	More    int // lines that are left out
	Unknown []absence
}

type modelLine struct {
	ID    string
	Cells []modelCell
}

// A modelCell is one model at one provider.
type modelCell struct {
	Provider string
	Has      bool
	model
}

// An absence is a provider without a list, and why.
type absence struct{ ID, Why string }

const (
	mostColumns = 10   // of the matrix
	mostLines   = 2000 // a filter finds the others
)

func (s *site) models(r *http.Request, f *frame) (any, error) {
	lists, err := s.lists(r.Context(), f.Statuses)
	if err != nil {
		return nil, err
	}
	v := &modelsView{frame: f, Query: r.URL.Query().Get("q")}
	v.fill(f.Statuses, lists)
	return v, nil
}

// lists reads the models of all providers, a few at a time.
func (s *site) lists(ctx context.Context, rows []provider.Status) ([]*provider.ModelsReply, error) {
	const atATime = 4
	replies, errs := make([]*provider.ModelsReply, len(rows)), make([]error, len(rows))
	each(len(rows), atATime, func(i int) { replies[i], errs[i] = s.Client.Models(ctx, rows[i].ID) })
	for i, err := range errs {
		switch {
		case code(err) == provider.UnknownProvider: // a reload removed it meanwhile
			replies[i] = &provider.ModelsReply{}
		case err != nil:
			return nil, err
		}
	}
	return replies, nil
}

func (v *modelsView) fill(rows []provider.Status, lists []*provider.ModelsReply) {
	lines := map[string]*modelLine{}
	for i := range rows {
		if why := ctl.ModelsUnknown(&rows[i], lists[i]); why != "" {
			v.Unknown = append(v.Unknown, absence{rows[i].ID, why})
		}
		if len(lists[i].Models) == 0 {
			continue
		}
		v.Columns = append(v.Columns, rows[i].ID)
		for m := range lists[i].Models {
			listed := &lists[i].Models[m]
			if !containsAll(strings.ToLower(listed.ID+" "+strings.Join(listed.Aliases, " ")), v.Query) {
				continue
			}
			line := lines[listed.ID]
			if line == nil {
				line = &modelLine{ID: listed.ID}
				lines[listed.ID] = line
			}
			line.Cells = append(line.Cells, modelCell{Provider: rows[i].ID, Has: true, model: modelOf(listed)})
		}
	}
	for _, line := range lines {
		v.Lines = append(v.Lines, *line)
	}
	slices.SortFunc(v.Lines, func(a, b modelLine) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	if len(v.Lines) > mostLines {
		v.More = len(v.Lines) - mostLines
		v.Lines = v.Lines[:mostLines]
	}
	if v.Matrix = len(v.Columns) <= mostColumns; v.Matrix {
		for i := range v.Lines {
			v.Lines[i].Cells = spread(v.Lines[i].Cells, v.Columns)
		}
	}
}

// spread puts cells into the columns of their providers.
func spread(cells []modelCell, columns []string) []modelCell {
	all := make([]modelCell, len(columns))
	for i, id := range columns {
		all[i].Provider = id
		if at := slices.IndexFunc(cells, func(c modelCell) bool { return c.Provider == id }); at >= 0 {
			all[i] = cells[at]
		}
	}
	return all
}

// containsAll reports whether a text in lower case has every word of a filter.
func containsAll(text, filter string) bool {
	for _, word := range strings.Fields(strings.ToLower(filter)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
