package probe

import (
	"errors"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

// An address copied from Azure's portal extends to a deployment; the fix is the part that
// is wanted.
func TestBeforeSegment(t *testing.T) {
	check := beforeSegment("openai")
	for _, tt := range []struct{ endpoint, fix string }{
		{"https://a.openai.azure.com", ""},
		{"https://gateway.example/team", ""},
		{"https://gateway.example/openai-team", ""},
		{"https://a.openai.azure.com/openai", ""},
		{"https://a.openai.azure.com/openai/v1", `base_url = "https://a.openai.azure.com"`},
		{"https://gateway.example/team/openai/deployments/gpt-4o/chat", `base_url = "https://gateway.example/team"`},
	} {
		fix := ""
		var wrong *config.SettingError
		if err := check(&config.Provider{Endpoint: tt.endpoint}); errors.As(err, &wrong) {
			fix = wrong.Fix
		} else if err != nil {
			t.Errorf("%s: %v", tt.endpoint, err)
		}
		if fix != tt.fix {
			t.Errorf("%s: fix %q, want %q", tt.endpoint, fix, tt.fix)
		}
	}
}
