package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

func TestNotifications(t *testing.T) {

	ago := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(-d)} }
	for _, tt := range []struct {
		name  string
		sinks []provider.NotifySink
		level Level
		says  string
		fix   string
	}{
		{"None", nil, OK, "", ""},
		{"Well", []provider.NotifySink{{ID: "a", Sent: 3}, {ID: "b", Waiting: 1, Oldest: ago(time.Minute), LastError: "503"}}, OK, "2 sinks, and no message is late", ""},
		{"Dead", []provider.NotifySink{{ID: "a", Dead: 2, LastError: "404"}}, Fail, "a: 2 messages given up", "providerctl notify retry a"},
		{"Late", []provider.NotifySink{{ID: "a", Waiting: 1, Oldest: ago(time.Hour), LastError: "503"}}, Warn, "a: a message has waited for 60 min", "providerctl notify test a"},
		{"Quiet", []provider.NotifySink{{ID: "a", Waiting: 1, Oldest: ago(time.Hour), QuietUntil: ago(-time.Hour)}}, OK, "1 sink, and", ""},
		{"Unusable", []provider.NotifySink{{ID: "a", LastError: "command: no such file"}}, Warn, "a: it cannot be used", "providerctl reload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := notifications(&Facts{Now: now, Notify: &provider.NotifyReply{Sinks: tt.sinks}})
			if tt.says == "" && len(all) == 0 {
				return
			}
			if len(all) != 1 || all[0].Level != tt.level || !strings.Contains(all[0].Summary, tt.says) || !strings.Contains(strings.Join(all[0].Fix, "\n"), tt.fix) {
				t.Errorf("%+v", all)
			}
		})
	}
}
