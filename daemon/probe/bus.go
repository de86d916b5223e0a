package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/providerd/providerd/daemon/buses"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

// askSystemd asks for the unit over a connection of its own, which ends with ctx. If
// systemd cannot be asked, nothing is known of the unit.
func askSystemd(ctx context.Context, r *run, bus, socket, name string) finding {
	began := r.p.now()
	u := &unit{name: name}
	err := u.read(ctx, r.p.dialer, bus, socket)
	r.latency = r.p.now().Sub(began)
	asked := fmt.Sprintf("the %s's systemd for %s", bus, name)
	if err == nil {
		r.checked(began, asked, u.load+", "+u.text(), "")
		return r.unlessCut(u.finding())
	}
	found := r.notAsked(ctx, err, bus)
	r.checked(began, asked, "", found.detail)
	return r.unlessCut(found)
}

// notAsked explains why systemd could not be asked.
func (r *run) notAsked(ctx context.Context, err error, bus string) finding {
	var refused dbus.Error
	errors.As(err, &refused)
	var dialled *transport.DialError
	switch {
	case ctx.Err() != nil || transport.IsTimeout(err):
		return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("systemd did not answer over the %s bus within %s", bus, r.p.provider.Timeout)}
	case scarce.Is(err):
		return r.ranOut(err, err.Error())
	case errors.Is(err, fs.ErrPermission), refused.Name == "org.freedesktop.DBus.Error.AccessDenied":
		return finding{saw: provider.Forbidden, detail: fmt.Sprintf("the %s bus: %v", bus, err)}
	case refused.Name == "org.freedesktop.DBus.Error.NameHasNoOwner", refused.Name == "org.freedesktop.DBus.Error.ServiceUnknown":
		return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("no systemd is on the %s bus", bus)}
	case errors.As(err, &dialled):
		return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("the %s bus cannot be reached: %s", bus, transport.DialText(dialled.Errs[0]))}
	}
	return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("the %s bus: %v", bus, err)}
}

// read asks the service manager. FlagNoAutoStart: it is not started if it does not run. A
// socket found through variables must be root's or this user's, because su keeps the
// variables.
func (u *unit) read(ctx context.Context, d *transport.Dialer, bus, socket string) error {
	raw, err := d.Connect(ctx, "unix", socket)
	if err != nil {
		return &transport.DialError{Errs: []error{err}}
	}
	if whose := buses.ForeignListener(raw); socket != buses.System && whose != "" {
		_ = raw.Close() // nothing was sent over it
		unset := "DBUS_SYSTEM_BUS_ADDRESS"
		if bus == "user" {
			unset = "DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, and log in as yourself"
		}
		return fmt.Errorf("%s belongs to %s: unset %s", socket, whose, unset)
	}
	c, err := dbus.NewConn(raw, dbus.WithContext(ctx))
	if err != nil {
		_ = raw.Close() // the earlier error is the one to report
		return err
	}
	defer c.Close()
	if err := c.Auth(nil); err != nil {
		return err
	}
	if err := c.Hello(); err != nil {
		return err
	}
	return u.ask(ctx, c)
}

const (
	systemdName  = "org.freedesktop.systemd1"
	systemdPath  = "/org/freedesktop/systemd1"
	listByNames  = systemdName + ".Manager.ListUnitsByNames"
	serviceProps = systemdName + ".Service"
)

// ask takes all states from one answer, so that they belong together. What only services
// have may be missing.
func (u *unit) ask(ctx context.Context, c *dbus.Conn) error {
	var rows []struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		Job                                             uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}
	manager := c.Object(systemdName, systemdPath)
	if err := manager.CallWithContext(ctx, listByNames, dbus.FlagNoAutoStart, []string{u.name}).Store(&rows); err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("systemd listed %d units, not one", len(rows))
	}
	row := rows[0]
	u.load, u.active, u.sub, u.job = row.Load, row.Active, row.Sub, row.JobType
	if !strings.HasSuffix(row.Name, ".service") {
		return nil
	}
	object := c.Object(systemdName, row.Path)
	get := func(property string, into any) {
		_ = object.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, serviceProps, property).Store(into)
	}
	get("Result", &u.result)
	get("MainPID", &u.pid)
	get("NRestarts", &u.restarts)
	return nil
}
