package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kardianos/service"
)

// Status returns the service's status in one line, and whether it runs.
func (s *Service) Status(ctx context.Context) (line string, running bool, err error) {
	if err := s.ofTheUser(); err != nil {
		return "", false, err
	}
	if !s.known() {
		return "", false, s.notInstalled()
	}
	if s.host.Platform == onSystemd {
		return s.systemdStatus(ctx)
	}
	status, err := s.kardianos.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return "", false, s.notInstalled()
	case err != nil:
		return "", false, fmt.Errorf("ask for %s: %w", s.job.name, err)
	case status == service.StatusRunning:
		return s.job.name + ": running", true, nil
	}
	return s.job.name + ": stopped", false, nil
}

// systemdStatus asks systemctl, which says more than whether the service runs.
func (s *Service) systemdStatus(ctx context.Context) (string, bool, error) {
	out, err := s.systemctl(ctx, "show", "providerd.service",
		"--property=ActiveState,SubState,StateChangeTimestamp,MainPID,UnitFileState,Result,StatusText")
	if err != nil {
		return "", false, fmt.Errorf("ask for %s: %w", s.job.name, err)
	}
	props := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		props[key] = value
	}
	return s.job.name + ": " + describeUnit(props), props["ActiveState"] == "active" || props["ActiveState"] == "reloading", nil
}

// describeUnit is "active (running) since …, pid 812, enabled".
func describeUnit(props map[string]string) string {
	text := fmt.Sprintf("%s (%s)", props["ActiveState"], props["SubState"])
	if since := props["StateChangeTimestamp"]; since != "" && since != "n/a" {
		text += " since " + since
	}
	if result := props["Result"]; result != "" && result != "success" {
		text += ", its last run ended with " + result
	}
	if pid := props["MainPID"]; pid != "" && pid != "0" {
		text += ", pid " + pid
	}
	if enabled := props["UnitFileState"]; enabled != "" {
		text += ", " + enabled
	}
	if says := props["StatusText"]; says != "" {
		text += ": " + says
	}
	return text
}
