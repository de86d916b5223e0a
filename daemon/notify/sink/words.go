package sink

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// titleOf is what a notice says, in a few words.
func titleOf(n *provider.Notice) string {
	switch n.Type {
	case provider.NoticeTest:
		return "providerd test message"
	case provider.NoticeDigest:
		return digestTitle(n)
	}
	who := n.Provider
	if who == provider.HostID {
		return hostTitle(n)
	}
	switch n.Type {
	case provider.NoticeClosed:
		if n.Reason == provider.NotChecked {
			return who + " " + unknown(n.Detail, "is")
		}
		if provider.TopicOf(n.State, n.Reason) == provider.TopicUsable {
			return who + " is usable again after " + lasted(n)
		}
		return who + ": the trouble is over after " + lasted(n)
	case provider.NoticeMerged:
		return who + " " + condition(n.State, n.Reason, "was") + " for " + lasted(n)
	}
	return who + " " + condition(n.State, n.Reason, "is")
}

// hostTitle is about this machine: nothing can be sent while it is offline.
func hostTitle(n *provider.Notice) string {
	who := n.Host
	if who == "" {
		who = "this machine"
	}
	switch {
	case n.Until.IsZero() && n.Type == provider.NoticeMerged:
		return who + " was offline"
	case n.Until.IsZero():
		return who + " is offline"
	}
	return who + " was offline for " + lasted(n)
}

// unknown says that trouble was closed although nobody knows whether it is over: why is the
// detail, be is "is" or "are".
func unknown(why, be string) string {
	if why == provider.NotWatched || why == "" {
		return be + " no longer watched"
	}
	return be + " in an unknown state"
}

// condition is trouble in two or three words; be is "is" or "was".
func condition(state provider.State, reason provider.Reason, be string) string {
	topic := provider.TopicOf(state, reason)
	switch {
	case state == provider.StateStarting:
		return be + " still starting"
	case reason == provider.Slow:
		return be + " slow"
	case topic == provider.TopicIncident:
		return be + " affected by a vendor incident"
	case topic == provider.TopicLimited:
		return be + " rate-limited"
	case state == provider.StateDegraded && topic == provider.TopicUnusable, state == provider.StateDegraded && topic == provider.TopicAttention:
		return be + " not usable"
	case topic == provider.TopicAttention && be == "is":
		return "needs attention"
	case topic == provider.TopicAttention:
		return "needed attention"
	}
	return be + " down"
}

// bodyOf explains the title: why, what to do, and what else belongs to it. It can be empty.
func bodyOf(n *provider.Notice) string {
	var b strings.Builder
	switch n.Type {
	case provider.NoticeTest:
		b.WriteString("it arrived")
		if n.Host != "" {
			b.WriteString(", from " + n.Host)
		}
	case provider.NoticeDigest:
		digestBody(&b, n)
	case provider.NoticeClosed:
		if n.Detail != provider.NotWatched && provider.TopicOf(n.State, n.Reason) != provider.TopicUsable {
			b.WriteString(why(n.Reason, n.Detail))
		}
	default:
		if n.Provider != provider.HostID {
			b.WriteString(why(n.Reason, n.Detail))
		}
		if n.Hint != "" && n.Type == provider.NoticeOpened {
			b.WriteString(" (" + n.Hint + ")")
		}
	}
	if n.Times > 1 {
		fmt.Fprintf(&b, "\nfailed and recovered %d times", n.Times)
	}
	if n.Lost > 0 {
		fmt.Fprintf(&b, "\n%d events before this were lost", n.Lost)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// why is the detail of a row or, without one, its reason.
func why(reason provider.Reason, detail string) string {
	if detail != "" {
		return detail
	}
	return provider.Seen(reason)
}

const shownNames = 3 // in the title of a digest

func digestTitle(n *provider.Notice) string {
	var parts []string
	add := func(ids []string, one, several string) {
		if len(ids) == 1 {
			parts = append(parts, ids[0]+" "+one)
		} else if len(ids) > 1 {
			parts = append(parts, fmt.Sprintf("%d providers %s", len(ids), several))
		}
	}
	merged, offline := digestHost(n)
	if offline != "" {
		parts = append(parts, offline)
	}
	add(n.Opened, "failed", "failed")
	add(merged, "failed and recovered", "failed and recovered")
	if why, ok := digestUnknown(n); ok {
		add(n.Closed, unknown(why, "is"), unknown(why, "are"))
	} else {
		add(n.Closed, "recovered", "recovered")
	}
	if len(parts) == 0 {
		return "no provider has trouble"
	}
	title := strings.Join(parts, ", ")
	if ids := n.Opened; len(parts) == 1 && len(ids) > 1 {
		title += ": " + strings.Join(ids[:min(shownNames, len(ids))], ", ")
		if more := len(ids) - shownNames; more > 0 {
			title += fmt.Sprintf(" and %d more", more)
		}
	}
	return title
}

// digestHost takes this machine out of what is over, and returns what to say of it.
func digestHost(n *provider.Notice) (merged []string, title string) {
	for _, id := range n.Merged {
		if id != provider.HostID {
			merged = append(merged, id)
			continue
		}
		one := provider.Notice{Type: provider.NoticeMerged, Provider: id, Host: n.Host}
		for i := range n.Worst {
			if item := &n.Worst[i]; item.Provider == id {
				one.Since, one.Until = item.Since, item.Until
			}
		}
		title = hostTitle(&one)
	}
	return merged, title
}

// digestUnknown reports whether trouble was closed although nobody knows whether it is over.
func digestUnknown(n *provider.Notice) (why string, ok bool) {
	for i := range n.Worst {
		if item := &n.Worst[i]; item.Type == provider.NoticeClosed && item.Reason == provider.NotChecked {
			why, ok = item.Detail, true
		}
	}
	return why, ok
}

func digestBody(b *strings.Builder, n *provider.Notice) {
	if n.Detail != "" {
		b.WriteString("\n" + n.Detail)
	}
	for i := range n.Worst {
		item := &n.Worst[i]
		one := provider.Notice{
			Type: item.Type, Provider: item.Provider, State: item.State, Reason: item.Reason, Detail: item.Detail,
			Since: item.Since, Until: item.Until, Host: n.Host,
		}
		fmt.Fprintf(b, "\n%s", titleOf(&one))
		if body := bodyOf(&one); body != "" {
			b.WriteString(": " + provider.OneLine(body, 160))
		}
	}
	if n.More > 0 {
		fmt.Fprintf(b, "\nand %d more", n.More)
	}
}

// samples are a notice of each type, with which templates are checked.
func samples() []provider.Notice {
	from := provider.Time{Time: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	to := provider.Time{Time: from.Add(7 * time.Minute)}
	down := provider.Notice{
		ID: "msg_sample", Type: provider.NoticeOpened, Provider: "ollama", State: provider.StateStopped,
		Reason: provider.ConnectionRefused, Detail: "connection refused", Hint: "start it: ollama serve", Since: from, Host: "gpu1",
	}
	up := down
	up.Type, up.State, up.Reason, up.Detail, up.Hint, up.Until = provider.NoticeClosed, provider.StateRunning, provider.OK, "", "", to
	was := down
	was.Type, was.Until, was.Hint, was.Times = provider.NoticeMerged, to, "", 2
	return []provider.Notice{
		down, up, was,
		{
			ID: "msg_sample", Type: provider.NoticeDigest, Since: from, Host: "gpu1", Opened: []string{"ollama", "vllm"}, Closed: []string{"groq"},
			Worst: []provider.NoticeItem{{Type: provider.NoticeOpened, Provider: "ollama", State: provider.StateStopped, Reason: provider.ConnectionRefused, Since: from}},
			More:  2,
		},
		{ID: "msg_sample", Type: provider.NoticeTest, Since: from, Host: "gpu1"},
	}
}
