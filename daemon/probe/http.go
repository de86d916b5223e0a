package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// httpService is any HTTP service, with conditions for its answer.
var httpService = kind{
	Kind: config.Kind{
		Name:     "http",
		Type:     provider.Generic,
		Settings: []string{"expect_status", "expect_body", "expect_json"},
		Check: func(p *config.Provider) error {
			_, err := readConditions(p.Expect)
			return err
		},
		Hints: provider.Hints{
			provider.BadResponse: "the answer is not as expected: check the server, or correct the configuration of {id}; see: providerctl diagnose {id}",
		},
	},
	title:    "the expected service",
	peculiar: newHTTPService,
}

// conditions are what an answer must fulfil; the zero value wants any 2xx with a complete
// body.
type conditions struct {
	status []int
	body   *regexp.Regexp
	json   []condition
}

// A condition is a JSONPath and the value that everything it selects must have.
type condition struct {
	text string
	path jp.Expr
	want any
}

func readConditions(e config.Expect) (conditions, error) {
	c := conditions{status: e.Status}
	if e.Body != "" {
		re, err := regexp.Compile(e.Body)
		if err != nil {
			return c, &config.SettingError{Setting: "expect_body", Problem: err.Error(), Fix: `a regular expression, such as expect_body = "ready"`}
		}
		c.body = re
	}
	for _, text := range slices.Sorted(maps.Keys(e.JSON)) {
		path, err := jp.ParseString(text)
		if err == nil && (len(path) == 0 || !strings.HasPrefix(text, "$")) {
			err = fmt.Errorf("%q does not begin with $", text)
		}
		if err != nil {
			return c, &config.SettingError{Setting: "expect_json", Problem: "JSONPath: " + err.Error(), Fix: `expect_json = { "$.status" = "ok" }`}
		}
		c.json = append(c.json, condition{text: text, path: path, want: e.JSON[text]})
	}
	return c, nil
}

func newHTTPService(p *config.Provider) (asker, error) {
	c, err := readConditions(p.Expect)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *run) finding {
		a := r.send(ctx, r.request(""))
		if a.err == nil && !slices.Contains(c.status, a.status) {
			a = r.follow(ctx, a)
		}
		switch {
		case a.err != nil:
			return r.failure(a.err)
		case a.blocked != "":
			if found := r.between(a); found.saw != "" {
				return found
			}
			return r.redirected(a)
		}
		return c.judge(r, a)
	}, nil
}

// judge names the first condition that does not hold.
func (c *conditions) judge(r *run, a *answer) finding {
	expected := slices.Contains(c.status, a.status)
	bad := func(format string, args ...any) finding {
		return finding{saw: provider.BadResponse, detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case !expected && a.status/100 != 2:
		found := r.between(a)
		if found.saw == "" {
			found = r.general(a)
		}
		if found.saw == provider.WrongService || found.saw == provider.BadResponse {
			return bad("%s, expected %s", a.statusLine(), c.statuses()) // any form of body may be right here
		}
		return found
	case !expected && len(c.status) > 0:
		return bad("%s, expected %s", a.statusLine(), c.statuses())
	case !a.whole():
		return bad("the body is incomplete: %v", a.trouble())
	case (c.body != nil || len(c.json) > 0) && a.illegible() != "":
		return bad("%s", a.illegible())
	case c.body != nil && !c.body.Match(a.body):
		return bad("the body does not match expect_body %q", c.body)
	}
	return c.judgeJSON(a, bad)
}

func (c *conditions) judgeJSON(a *answer, bad func(string, ...any) finding) finding {
	if len(c.json) == 0 {
		return finding{saw: provider.OK}
	}
	dec := json.NewDecoder(strings.NewReader(string(a.body)))
	dec.UseNumber()
	var body any
	if err := dec.Decode(&body); err != nil || !a.isJSON() {
		return bad("the body is not JSON, which expect_json needs")
	}
	for _, want := range c.json {
		got := want.path.Get(body)
		if len(got) == 0 {
			return bad("expect_json %s selects nothing", want.text)
		}
		for _, g := range got {
			if !equal(g, want.want) {
				return bad("expect_json %s is %.80v, expected %v", want.text, g, want.want)
			}
		}
	}
	return finding{saw: provider.OK}
}

// statuses are the expected ones, for people.
func (c *conditions) statuses() string {
	if len(c.status) == 0 {
		return "2xx"
	}
	texts := make([]string, len(c.status))
	for i, s := range c.status {
		texts[i] = strconv.Itoa(s)
	}
	return strings.Join(texts, " or ")
}

// equal compares a JSON value with one from the configuration: numbers by value, everything
// else by type and value.
func equal(got, want any) bool {
	n, ok := got.(json.Number)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	switch want := want.(type) {
	case int64:
		i, err := n.Int64()
		f, ferr := n.Float64()
		return err == nil && i == want || err != nil && ferr == nil && f == float64(want)
	case float64:
		f, err := n.Float64()
		return err == nil && f == want
	}
	return false
}
