package service

import (
	"path/filepath"

	"github.com/kardianos/service"

	"github.com/providerd/providerd/packaging"
)

// A job describes the service to the service manager.
type job struct {
	name   string // for people
	file   string // the service file; empty if there is none
	text   string
	log    string // the command that shows its log
	config service.Config
	// packaged are the service files that a package would install.
	packaged []string
}

// describe makes the job for this host. [Service.programFits] checks the program's path
// before any text is used.
func (s *Service) describe() job {
	j := job{name: "providerd.service", config: service.Config{
		Name: "providerd", DisplayName: "providerd", Executable: s.host.Program,
		Description: "Status of AI model providers",
		Option:      service.KeyValue{},
	}}
	switch s.host.Platform {
	case onSystemd:
		s.describeSystemd(&j)
	case onOpenRC:
		j.name, j.file, j.log = "providerd", "/etc/init.d/providerd", "sudo tail -n 20 /var/log/providerd.log; or see what goes wrong: sudo rc-service providerd start"
		j.text = packaging.OpenRC(s.host.Program)
		j.config.Option["OpenRCScript"] = j.text
	case onLaunchd:
		s.describeLaunchd(&j)
	case onWindows:
		j.name = "providerd"
		j.log = `more %ProgramData%\providerd\state\providerd.log`
		// A virtual account for this service only.
		j.config.UserName = `NT SERVICE\providerd`
		j.config.Arguments = []string{"--system"}
		j.config.Option["OnFailure"] = "restart"
		j.config.Option["OnFailureDelayDuration"] = "1s"
		j.config.Option["OnFailureResetPeriod"] = 60
	}
	return j
}

func (s *Service) describeSystemd(j *job) {
	if s.user {
		j.file = filepath.Join(s.host.Home, ".config/systemd/user/providerd.service")
		j.log = "journalctl --user -u providerd -n 20"
		j.text = packaging.UserUnit(s.host.Program)
		j.packaged = []string{"/usr/lib/systemd/user/providerd.service", "/etc/systemd/user/providerd.service"}
		j.config.Option["UserService"] = true
	} else {
		j.file = "/etc/systemd/system/providerd.service"
		j.log = "journalctl -u providerd -n 20"
		j.text = packaging.SystemUnit(s.host.Program)
		j.packaged = []string{"/usr/lib/systemd/system/providerd.service", "/lib/systemd/system/providerd.service"}
	}
	// kardianos/service reads the text as a template. Nothing in it looks like a template
	// action: a test checks the text, and programFits the path.
	j.config.Option["SystemdScript"] = j.text
}

func (s *Service) describeLaunchd(j *job) {
	j.name, j.config.Name = packaging.LaunchdLabel, packaging.LaunchdLabel
	log := "/var/log/providerd.log"
	j.file = "/Library/LaunchDaemons/" + packaging.LaunchdLabel + ".plist"
	if s.user {
		log = filepath.Join(s.host.Home, "Library/Logs/providerd.log")
		j.file = filepath.Join(s.host.Home, "Library/LaunchAgents", packaging.LaunchdLabel+".plist")
		j.config.Option["UserService"] = true
	}
	j.log = "tail -n 20 " + log
	j.text = packaging.Launchd(s.host.Program, log)
	j.config.Option["LaunchdConfig"] = j.text
}
