package page

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// An overview is the view of all providers.
type overview struct {
	*frame
	Query  string
	Show   string
	Sort   string
	Shows  []option
	Sorts  []option
	Rows   []row
	Part   bool // it has only the rows that were asked for
	Strips bool // there is a history to show
}

// An option is one of several choices: a link, or an entry of a list.
type option struct {
	Value, Name string
	Href        string
	Chosen      bool
	Count       int
}

// The choices of the overview, each with its word in the address.
var (
	shows = []option{{Value: "", Name: "All"}, {Value: "local", Name: "Local"}, {Value: "cloud", Name: "Cloud"}, {Value: "problems", Name: "Problems"}}
	sorts = []option{
		{Value: "", Name: "Need"}, {Value: "id", Name: "Name"}, {Value: "state", Name: "State"}, {Value: "latency", Name: "Latency"},
		{Value: "uptime", Name: "Uptime"}, {Value: "since", Name: "Last change"}, {Value: "config", Name: "Configuration"},
	}
)

func (s *site) overview(r *http.Request, f *frame) (any, error) {
	query := r.URL.Query()
	o := overview{frame: f, Query: query.Get("q"), Show: query.Get("show"), Sort: query.Get("sort"), Part: query.Has("id")}
	o.choose(s.Base)
	past := s.past.lastDay(r.Context())
	o.Strips = len(past) > 0
	wanted := map[string]bool{}
	for _, id := range query["id"] {
		wanted[id] = true
	}
	for place := range f.Statuses {
		status := &f.Statuses[place]
		if o.Part && !wanted[status.ID] || !o.matches(status) {
			continue
		}
		row := rowOf(status, past[status.ID], f.Now)
		row.Place, row.Upkeep = place, f.Maintained[status.ID]
		if row.Spark == "" {
			row.Spark = s.pulse.of(status.ID)
		}
		row.Rank = o.rank(&row, status, past[status.ID])
		o.Rows = append(o.Rows, row)
	}
	o.sort()
	return o, nil
}

// choose marks the choices in force. An unknown word means the first choice.
func (o *overview) choose(base string) {
	o.Shows, o.Sorts = slices.Clone(shows), slices.Clone(sorts)
	pick := func(all []option, name string, value *string) {
		if !slices.ContainsFunc(all, func(c option) bool { return c.Value == *value }) {
			*value = ""
		}
		for i := range all {
			query := url.Values{}
			for key, v := range map[string]string{"q": o.Query, "show": o.Show, "sort": o.Sort, name: all[i].Value} {
				if v != "" {
					query.Set(key, v)
				}
			}
			all[i].Chosen = all[i].Value == *value
			if all[i].Href = base; len(query) > 0 {
				all[i].Href += "?" + query.Encode()
			}
		}
	}
	pick(o.Shows, "show", &o.Show)
	pick(o.Sorts, "sort", &o.Sort)
	for i := range o.Statuses {
		for c := range o.Shows {
			if shown(&o.Statuses[i], o.Shows[c].Value, o) {
				o.Shows[c].Count++
			}
		}
	}
}

// shown reports whether a choice of rows includes this one.
func shown(s *provider.Status, show string, o *overview) bool {
	switch show {
	case "local":
		return s.Type == provider.Local
	case "cloud":
		return s.Type == provider.Cloud
	case "problems":
		need, _ := ctl.NeedOf(s, o.Now)
		return need != ctl.Usable || ctl.InDoubt(s) || s.State != provider.StateRunning
	}
	return true
}

// matches reports whether every word of the filter is in one of the row's texts.
func (o *overview) matches(s *provider.Status) bool {
	if !shown(s, o.Show, o) {
		return false
	}
	return containsAll(findable(s), o.Query)
}

// rank is the place of a row: the smallest comes first.
func (o *overview) rank(r *row, s *provider.Status, past record) float64 {
	switch o.Sort {
	case "id", "config":
		return 0
	case "state":
		return float64(slices.Index(provider.States[:], s.State))
	case "latency":
		if s.LatencyMS <= 0 {
			return math.MaxFloat32
		}
		return s.LatencyMS
	case "uptime":
		if past.UptimeRatio == nil {
			return 2
		}
		return *past.UptimeRatio
	case "since":
		return -float64(s.Since.UnixMilli())
	}
	return r.Rank
}

func (o *overview) sort() {
	if o.Sort == "id" {
		names := map[string]int{}
		for i, s := range slices.SortedFunc(slices.Values(o.Statuses), func(a, b provider.Status) int { return cmp.Compare(a.ID, b.ID) }) {
			names[s.ID] = i
		}
		for i := range o.Rows {
			o.Rows[i].Place = names[o.Rows[i].ID]
		}
	}
	slices.SortFunc(o.Rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Place, b.Place)) })
}
