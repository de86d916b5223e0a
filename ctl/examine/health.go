package examine

import (
	"context"
	"encoding/json"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// health is what the daemon says of itself; nil if it says nothing. An unwell one says it
// with an error's status.
func (s *Scene) health(ctx context.Context) *provider.Health {
	body, _ := s.Client.Do(ctx, client.Request{Path: client.HealthPath})
	var h provider.Health
	if json.Unmarshal(body, &h) != nil || h.Status == "" {
		return nil
	}
	return &h
}
