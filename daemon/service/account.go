package service

import (
	"context"
	"fmt"

	"github.com/providerd/providerd/packaging"
	"github.com/providerd/providerd/store/provider"
)

// ensureAccount creates the service's user and group if they are missing, with whatever
// command the system has for it.
func (s *Service) ensureAccount(ctx context.Context) error {
	if s.host.HasUser(Account) && s.host.HasGroup(Account) {
		return nil
	}
	var err error
	switch {
	case s.host.HasUser(Account):
		return provider.WithHint("there is a user providerd, but no group providerd", "sudo groupadd --system providerd && sudo usermod -g providerd providerd")
	case s.has("systemd-sysusers"):
		_, err = s.host.Run(ctx, packaging.Sysusers(), "systemd-sysusers", "-")
	case s.has("useradd"):
		err = s.addByShadow(ctx)
	case s.has("adduser"):
		err = s.addByBusyBox(ctx)
	default:
		return provider.WithHint("there is no user providerd, and no command to make one: systemd-sysusers, useradd or adduser",
			"create the system user and group providerd, then: "+s.command("install"))
	}
	if err != nil {
		return fmt.Errorf("create the user %s: %w", Account, err)
	}
	s.say("created the user and the group %s", Account)
	return nil
}

// addByShadow uses what most distributions have (useradd(8)).
func (s *Service) addByShadow(ctx context.Context) error {
	group := "--user-group"
	if s.host.HasGroup(Account) {
		group = "--gid=" + Account
	}
	_, err := s.host.Run(ctx, "", "useradd", "--system", group, "--no-create-home", "--home-dir=/",
		"--shell=/usr/sbin/nologin", Account)
	return err
}

// addByBusyBox uses BusyBox's commands, as on Alpine.
func (s *Service) addByBusyBox(ctx context.Context) error {
	if !s.host.HasGroup(Account) {
		if _, err := s.host.Run(ctx, "", "addgroup", "-S", Account); err != nil {
			return err
		}
	}
	_, err := s.host.Run(ctx, "", "adduser", "-S", "-D", "-H", "-h", "/", "-s", "/sbin/nologin", "-G", Account, Account)
	return err
}

func (s *Service) has(command string) bool {
	_, err := s.host.LookPath(command)
	return err == nil
}
