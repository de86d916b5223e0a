package probe

import (
	"net/url"
	"strings"

	"github.com/providerd/providerd/daemon/config"
)

// beforeSegment makes the Check of a kind whose path begins with a segment that a copied
// address may already have, with more after it: a version, a deployment. The segment alone
// does no harm (joinedOnce).
func beforeSegment(segment string) func(*config.Provider) error {
	return func(p *config.Provider) error {
		u, err := url.Parse(p.Endpoint)
		if err != nil {
			return nil // it has been parsed before
		}
		before, after, found := strings.Cut(u.Path+"/", "/"+segment+"/")
		if !found || after == "" {
			return nil
		}
		u.Path, u.RawPath = before, ""
		return &config.SettingError{
			Setting: "base_url",
			Problem: "it is too long: leave out " + strings.TrimSuffix("/"+segment+"/"+after, "/"),
			Fix:     `base_url = "` + u.String() + `"`,
		}
	}
}
