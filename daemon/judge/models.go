package judge

import (
	"fmt"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// missingModels are the models that the configuration requires and the provider
// does not list.
func missingModels(p *config.Provider, have []provider.Model) []string {
	var missing []string
	for _, want := range p.Models {
		if !provider.Lists(p.Kind, have, want) {
			missing = append(missing, want)
		}
	}
	return missing
}

// list joins names for people, and counts what would be too long.
func list(names []string) string {
	const shown = 5
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}
