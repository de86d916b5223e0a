package doctor

import (
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// rights says what the caller may ask for, and what would let them do the rest.
func rights(f *Facts) []Finding {
	const subject = "rights"
	switch {
	case f.Info != nil && f.Info.Setup == nil:
		return one(subject, Skip, "this daemon is too old to report what you may do")
	case f.Info == nil && f.InfoErr != nil && f.InfoErr.Code == provider.Denied:
		return one(subject, Skip, "you may not ask this daemon anything")
	case f.Info == nil:
		return nil
	}
	caller := f.Info.Setup.Caller
	if caller.Admin {
		return one(subject, OK, "you may read, refresh, pause, report, reload and read the log")
	}
	const may = "you may read, refresh and report, but not pause, reload or read the log"
	g := f.Group
	switch {
	case g.Name == "":
		return one(subject, OK, may, "for those: sudo providerctl COMMAND")
	case g.Listed && !g.Active:
		return one(subject, Fail, fmt.Sprintf("%s: you were added to the group %s after this session began", may, g.Name),
			"log out and in again, or for this shell: newgrp "+provider.ShellWord(g.Name))
	case g.Active:
		return one(subject, Warn, fmt.Sprintf("%s, though this process has the group %s", may, g.Name),
			"the daemon may run in another user namespace or container: sudo providerctl COMMAND there")
	}
	return one(subject, OK, may, "for those: sudo usermod -aG "+provider.ShellWord(g.Name)+" $USER, then log out and in again", "or once: sudo providerctl COMMAND")
}
