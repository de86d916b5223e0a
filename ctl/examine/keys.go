package examine

import (
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
)

// keysSet says which variables that the daemon would read a key from are set here. What
// they hold is not looked at.
func (s *Scene) keysSet(f *doctor.Facts) map[string]bool {
	set := map[string]bool{}
	if f.Info == nil || f.Info.Setup == nil {
		return set
	}
	for _, k := range f.Info.Setup.Keys {
		for _, name := range strings.Fields(k.Problem) {
			if strings.ToUpper(name) == name && strings.Contains(name, "_") && s.Getenv(name) != "" {
				set[name] = true
			}
		}
	}
	return set
}
