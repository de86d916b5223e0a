package probe_test

import (
	"io"
	"net"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestTCP(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{false, true} {
		ask := probe.Ask{DialFirst: first}
		o := once(t, configured(t, "tcp", "tcp://"+talk(t, false, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), ""), probe.Options{}, ask)
		if o.Saw != provider.OK || truth(o.PortListening) != "yes" || o.APIResponding != nil || o.Latency <= 0 {
			t.Errorf("accepting: saw %s %q, %+v", o.Saw, o.Detail, o)
		}
		if len(o.Evidence.Dial) != 1 {
			t.Errorf("accepting: dialled %+v", o.Evidence.Dial)
		}
		o = once(t, configured(t, "tcp", "tcp://"+unused(t), ""), probe.Options{}, ask)
		if o.Saw != provider.ConnectionRefused || truth(o.PortListening) != "no" {
			t.Errorf("refusing: saw %s %q", o.Saw, o.Detail)
		}
	}
}
