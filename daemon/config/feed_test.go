package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
)

var groqFeed = config.Feed{
	URL: "https://groqstatus.com/api/v2/summary.json", Format: config.Statuspage, Components: []string{"API"},
}

// By default a feed is only followed if there is a key for the vendor's own address; the setting
// in the file overrides that.
func TestParse_StatusFeed(t *testing.T) {
	withKey, none := map[string]string{"GROQ_API_KEY": "test-key"}, map[string]string{}
	own := config.Feed{URL: "http://127.0.0.1:8080/Summary.json", Format: config.Instatus}
	for name, tc := range map[string]struct {
		settings string
		env      map[string]string
		want     config.Feed
	}{
		"WithAKey":          {`kind = "groq"`, withKey, groqFeed},
		"WithoutAKey":       {`kind = "groq"`, none, config.Feed{}},
		"SwitchedOff":       {"kind = \"groq\"\nstatus_feed = false", withKey, config.Feed{}},
		"SwitchedOn":        {"kind = \"groq\"\nstatus_feed = true", none, groqFeed},
		"AtAnotherHost":     {"kind = \"groq\"\nbase_url = \"https://proxy.example.com/v1\"", withKey, config.Feed{}},
		"AtTheVendorsHost":  {"kind = \"groq\"\nbase_url = \"https://api.groq.com/other\"", withKey, groqFeed},
		"AtAnotherAndAsked": {"kind = \"groq\"\nbase_url = \"https://proxy.example.com/v1\"\nstatus_feed = true", withKey, groqFeed},
		"OfOnesOwn":         {"kind = \"groq\"\nstatus_feed = { url = \"http://127.0.0.1:8080/Summary.json\", format = \"instatus\" }", withKey, own},
		"OfAKindWithout":    {"kind = \"lmstudio\"\nstatus_feed = { url = \"http://127.0.0.1:8080/Summary.json\", format = \"instatus\" }", none, own},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, "[[provider]]\nid = \"a\"\n"+tc.settings, env(tc.env, nil))
			if diff := cmp.Diff(tc.want, c.Providers[0].Feed); diff != "" {
				t.Error(diff)
			}
			again := parse(t, c.Show(), env(tc.env, nil))
			if diff := cmp.Diff(tc.want, again.Providers[0].Feed); diff != "" {
				t.Errorf("as it is shown it means something else: %s\n%s", diff, c.Show())
			}
		})
	}
}

func TestParse_StatusFeedOfAnAutodetectedProvider(t *testing.T) {
	c := parse(t, "autodetect = true", env(map[string]string{"GROQ_API_KEY": "test-key"}, nil))
	for _, p := range c.Providers {
		want := config.Feed{}
		if p.Kind == "groq" {
			want = groqFeed
		}
		if diff := cmp.Diff(want, p.Feed); diff != "" {
			t.Errorf("%s: %s", p.ID, diff)
		}
	}
}
