package service

import (
	"context"
	"fmt"

	"github.com/providerd/providerd/packaging"
	"github.com/providerd/providerd/store/provider"
)

// ensureAccount makes the service's user and group where they are missing, with
// whatever the system has for it.
func (s *Service) ensureAccount(ctx context.Context) error {
	if s.host.HasUser(account) && s.host.HasGroup(account) {
		return nil
	}
	var err error
	switch {
	case s.host.HasUser(account):
		return provider.WithHint("the user providerd is there, and the group providerd is not", "sudo groupadd --system providerd && sudo usermod -g providerd providerd")
	case s.has("systemd-sysusers"):
		_, err = s.host.Run(ctx, packaging.Sysusers(), "systemd-sysusers", "-")
	case s.has("useradd"):
		err = s.addByShadow(ctx)
	case s.has("adduser"):
		err = s.addByBusyBox(ctx)
	default:
		return provider.WithHint("there is no user providerd, and no command to make one: systemd-sysusers, useradd or adduser",
			"make the system user and group providerd, then: "+s.command("install"))
	}
	if err != nil {
		return fmt.Errorf("make the user %s: %w", account, err)
	}
	s.say("made the user and the group %s", account)
	return nil
}

// addByShadow uses what most distributions have (useradd(8)).
func (s *Service) addByShadow(ctx context.Context) error {
	group := "--user-group"
	if s.host.HasGroup(account) {
		group = "--gid=" + account
	}
	_, err := s.host.Run(ctx, "", "useradd", "--system", group, "--no-create-home", "--home-dir=/",
		"--shell=/usr/sbin/nologin", account)
	return err
}

// addByBusyBox uses what Alpine has.
func (s *Service) addByBusyBox(ctx context.Context) error {
	if !s.host.HasGroup(account) {
		if _, err := s.host.Run(ctx, "", "addgroup", "-S", account); err != nil {
			return err
		}
	}
	_, err := s.host.Run(ctx, "", "adduser", "-S", "-D", "-H", "-h", "/", "-s", "/sbin/nologin", "-G", account, account)
	return err
}

func (s *Service) has(command string) bool {
	_, err := s.host.LookPath(command)
	return err == nil
}
