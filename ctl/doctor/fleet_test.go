package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// member is the reply of a machine whose fleet is as it should be.
func member() *provider.FleetReply {
	return &provider.FleetReply{
		Mode: provider.FleetOK, Since: provider.Time{Time: now.Add(-3 * time.Hour)}, Name: "lab", Member: "gpu1",
		CertificateExpires: provider.Time{Time: now.Add(300 * 24 * time.Hour)},
		Members:            []provider.FleetMember{{Member: "ci", Version: "1.1.0"}, {Member: "gpu1", Version: "1.1.0", Self: true}},
	}
}

func TestFleet(t *testing.T) {
	in := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
	for _, tt := range []struct {
		name   string
		change func(r *provider.FleetReply)
		level  Level
		says   string // in the summary or the details
		fix    string
	}{
		{"Well", func(*provider.FleetReply) {}, OK, "a member of lab as gpu1, with 1 other machine", ""},
		{"None", func(r *provider.FleetReply) { *r = provider.NoFleet() }, "", "", ""},
		{"Unusable", func(r *provider.FleetReply) {
			*r = provider.FleetReply{Mode: provider.FleetOff, Why: "fleet_key: no such file", Hint: "see: providerd config check"}
		}, Fail, "cannot be used\nfleet_key: no such file", "providerd config check"},
		{"Alone", func(r *provider.FleetReply) {
			r.Mode, r.Why, r.Hint = provider.FleetAlone, "no answer from etcd for 7s", "check etcd"
		}, Warn, "cut off from lab for 3 h: everything is probed here\nno answer from etcd for 7s", "check etcd"},
		{"AloneWithoutAHint", func(r *provider.FleetReply) { r.Mode, r.Why = provider.FleetAlone, "no answer" }, Warn, "no answer", "providerd fleet check"},
		{"NameTaken", func(r *provider.FleetReply) {
			r.Mode, r.Why, r.Hint = provider.FleetConnecting, "etcd: "+provider.FleetNameTaken, "give this machine another name"
		}, Fail, "the name gpu1 is taken in lab for 3 h", "give this machine another name"},
		{"ConnectsSince", func(r *provider.FleetReply) { r.Mode = provider.FleetConnecting }, Warn, "not a member of lab for 3 h", "providerd fleet check"},
		{"Connects", func(r *provider.FleetReply) { r.Mode, r.Since = provider.FleetConnecting, in(-time.Second) }, OK, "connecting to lab", ""},
		{"ConnectsInVain", func(r *provider.FleetReply) {
			r.Mode, r.Since, r.Why = provider.FleetConnecting, in(-time.Second), "connection refused"
		}, Warn, "connection refused", "fleet check"},
		{"AModeOfTheFuture", func(r *provider.FleetReply) { r.Mode = "resting" }, Warn, "not a member", ""},
		{"Expiring", func(r *provider.FleetReply) { r.CertificateExpires = in(13*24*time.Hour + time.Hour) }, Warn, "the certificate of gpu1 expires in 13 days", "cert_file"},
		{"ExpiringLater", func(r *provider.FleetReply) { r.CertificateExpires = in(14 * 24 * time.Hour) }, OK, "a member", ""},
		{"Expired", func(r *provider.FleetReply) { r.CertificateExpires = in(-72 * time.Hour) }, Fail, "the certificate of gpu1 expired 3 days ago", "cert_file"},
		{"NoCertificate", func(r *provider.FleetReply) { r.CertificateExpires = provider.Time{} }, OK, "a member", ""},
		{"AnotherKey", func(r *provider.FleetReply) { r.Members[0].OtherKey = true }, Warn, "the fleet_key of some members differs, so this machine shares nothing with them\nci", "the same file"},
		{"VersionsDiffer", func(r *provider.FleetReply) {
			r.Members = append(r.Members, provider.FleetMember{Member: "old", Version: "1.0.0"}, provider.FleetMember{Member: "silent"})
		}, Warn, "different versions\n1.1.0: ci, gpu1\n1.0.0: old", "install one release"},
		{"ManyVersionsDiffer", func(r *provider.FleetReply) {
			for i := range 20 {
				r.Members = append(r.Members, provider.FleetMember{Member: fmt.Sprint("m", i), Version: "1.0.0"})
			}
		}, Warn, "1.0.0: m0, m1, m2, m3, m4 and 15 more", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := member()
			tt.change(r)
			all := fleet(&Facts{Now: now, Fleet: r})
			if tt.level == "" {
				if len(all) != 0 {
					t.Errorf("%+v", all)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("%+v", all)
			}
			got := strings.Join(append([]string{all[0].Summary}, all[0].Details...), "\n")
			if all[0].Level != tt.level || all[0].Subject != "fleet" || !strings.Contains(got, tt.says) || !strings.Contains(strings.Join(all[0].Fix, "\n"), tt.fix) {
				t.Errorf("%+v", all[0])
			}
		})
	}
	if all := fleet(&Facts{Now: now}); all != nil {
		t.Errorf("an older daemon: %+v", all)
	}
}
