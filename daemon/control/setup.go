package control

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// completeSetup adds the caller, and removes what only administrators may see: lines of the
// configuration, and the paths of key files.
func (s *Server) completeSetup(setup *provider.Setup, c *call) {
	if setup == nil {
		return
	}
	rules, peer := policy{s.owner, s.admin.Load(), s.shared}, c.conn.peer
	if rules.admin != nil {
		setup.AdminGroup = rules.admin.Name
	}
	setup.Caller.Admin = rules.allows(peer, opAdmin)
	if peer.Known && !peer.AnyUser {
		setup.Caller.UID = &peer.UID
	}
	if setup.Caller.Admin {
		return
	}
	setup.Caller.Hint = rules.denied(peer, "", "providerctl …").Hint
	setup.Config.Problems = nil
	for i := range setup.Keys {
		if strings.HasPrefix(setup.Keys[i].Source, "file ") {
			setup.Keys[i].Source = "file"
		}
	}
}
