package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/providerd/providerd/daemon/buses"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A desktop shows notices to the user who is logged in and runs the daemon, over the session's
// bus (specifications.freedesktop.org/notification-spec).
type desktop struct {
	socket string
	texts  *texts

	shown map[string]uint32 // by provider: its last notification, which the next one replaces
	owner string            // who showed them: after its restart, their numbers are others'
}

func newDesktop(_ *config.Notify, o *Options, t *texts, read bool) (Sink, error) {
	switch {
	case !read:
		return nil, nil
	case o.Env.ForSystem():
		return nil, &config.SettingError{
			Setting: "kind", Problem: "the system's daemon has no desktop",
			Fix: "run providerd as yourself for that, or choose another kind",
		}
	}
	getenv := o.Env.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	return &desktop{socket: buses.Socket("user", getenv), texts: t, shown: map[string]uint32{}}, nil
}

const (
	notifyName   = "org.freedesktop.Notifications"
	notifyPath   = "/org/freedesktop/Notifications"
	serverChosen = int32(-1) // how long it is shown
	forEver      = int32(0)
)

// Deliver asks over a connection of its own: the session can end and begin again.
func (d *desktop) Deliver(ctx context.Context, n *provider.Notice) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return errors.New(provider.OneLine("the session's bus: "+err.Error(), maxError))
	}
	defer conn.Close()
	var owner string
	bus := conn.BusObject()
	if err := bus.CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, notifyName).Store(&owner); err != nil || owner != d.owner {
		d.owner = owner
		clear(d.shown)
	}
	title, body := d.texts.of(n)
	body = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(body) // it is markup
	u := urgencyOf(n)
	expires := serverChosen
	if u == high {
		expires = forEver
	}
	hints := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(byte(u)),
		"desktop-entry": dbus.MakeVariant("providerd"),
	}
	var id uint32
	err = conn.Object(notifyName, notifyPath).CallWithContext(ctx, notifyName+".Notify", 0,
		"providerd", d.shown[n.Provider], icons[u], title, body, []string{}, hints, expires).Store(&id)
	if err != nil {
		return errors.New(provider.OneLine("nothing shows notifications: "+err.Error(), maxError))
	}
	d.remember(n, id)
	return nil
}

// remember notes what the provider's next notification replaces. Trouble that is over is the
// last one of its kind.
func (d *desktop) remember(n *provider.Notice, id uint32) {
	switch {
	case n.Provider == "":
	case n.Type == provider.NoticeOpened:
		d.shown[n.Provider] = id
	default:
		delete(d.shown, n.Provider)
	}
}

// icons are of the freedesktop icon naming specification.
var icons = map[urgency]string{low: "dialog-information", normal: "dialog-warning", high: "dialog-error"}

// connect refuses a bus at which somebody else listens: variables can lead anywhere.
func (d *desktop) connect(ctx context.Context) (*dbus.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "unix", d.socket)
	if err != nil {
		return nil, err
	}
	if whose := buses.ForeignListener(raw); whose != "" {
		_ = raw.Close() // nothing was sent over it
		return nil, fmt.Errorf("%s belongs to %s", d.socket, whose)
	}
	c, err := dbus.NewConn(raw, dbus.WithContext(ctx))
	if err != nil {
		_ = raw.Close() // the earlier error is the one to report
		return nil, err
	}
	if err = c.Auth(nil); err == nil {
		err = c.Hello()
	}
	if err != nil {
		_ = c.Close() // likewise
		return nil, err
	}
	return c, nil
}
