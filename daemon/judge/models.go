package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// missingModels are the models that the configuration requires and the provider
// does not list. Ollama means NAME:latest by NAME.
func missingModels(p *config.Provider, have []provider.Model) []string {
	var missing []string
	for _, want := range p.Models {
		if !slices.ContainsFunc(have, func(m provider.Model) bool {
			return m.ID == want || p.Kind == "ollama" && m.ID == want+":latest"
		}) {
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
