package page

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A daemonView is the view of the daemon itself.
type daemonView struct {
	*frame
	Healthy bool
	Checks  []check
	Facts   [][2]string
	Admin   bool
	Hint    string // how to become an administrator
	Trouble string // with the configuration
	Log     []logLine
	NoLog   string // why the log is not shown
	Sinks   []sink
	NoSinks string // why they are not shown
}

type check struct {
	Name, Says string
	OK         bool
}

type logLine struct {
	Time           provider.Time
	Level, Message string
	Fields         string
}

const linesOfLog = 100

func (s *site) daemon(r *http.Request, f *frame) (any, error) {
	info, err := s.Client.Daemon(r.Context())
	if err != nil {
		return nil, err
	}
	health, err := s.Client.Health(r.Context())
	if err != nil {
		return nil, err
	}
	v := &daemonView{frame: f, Healthy: health.Status == "ok", Facts: daemonFacts(info, f.Now)}
	for _, name := range slices.Sorted(maps.Keys(health.Checks)) {
		says := health.Checks[name]
		v.Checks = append(v.Checks, check{name, says, says == "ok"})
	}
	if setup := info.Setup; setup != nil {
		v.Admin, v.Hint = setup.Caller.Admin, s.spell(setup.Caller.Hint)
		if setup.Config.ReloadRefused {
			v.Trouble = "the last reload was refused; the earlier configuration is still in force"
		}
	}
	s.addSinks(r, v)
	s.addLog(r, v)
	return v, nil
}

// addLog reads the last lines of the log, which only an administrator may see.
func (s *site) addLog(r *http.Request, v *daemonView) {
	for line, err := range s.Client.Log(r.Context(), client.LogQuery{Lines: linesOfLog}) {
		if err != nil {
			p := s.problemOf(err)
			if v.NoLog = p.Message; p.Hint != "" {
				v.NoLog += "; " + p.Hint
			}
			v.Log = nil
			return
		}
		v.Log = append(v.Log, logLine{line.Time, line.Level, line.Message, fieldsOf(line.Fields)})
	}
	slices.Reverse(v.Log)
}

func fieldsOf(fields map[string]any) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fmt.Sprint(fields[name])
		if n, ok := fields[name].(float64); ok { // from JSON: Sprint writes a large one with an exponent
			value = strconv.FormatFloat(n, 'f', -1, 64)
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(all, " ")
}

// daemonFacts are the names and values of what is known of the daemon.
func daemonFacts(info *provider.DaemonInfo, now time.Time) [][2]string {
	config := info.ConfigPath
	if config == "" {
		config = "none: the built-in defaults are in force"
		if info.ConfigDefault != "" {
			config += "; a file would be " + info.ConfigDefault
		}
	}
	facts := [][2]string{
		{"Version", info.Version},
		{"Process", strconv.Itoa(info.PID)},
		{"Up", ctl.Span(time.Duration(info.UptimeSeconds)*time.Second) + ", since " + stamp(info.StartedAt)},
		{"Socket", info.Socket},
		{"Configuration", config},
		{"Database", info.StatePath + ", " + ctl.Size(info.DatabaseBytes)},
		{"Log level", info.LogLevel},
		{"Providers", strconv.Itoa(info.Providers)},
		{"Newest event", strconv.FormatUint(info.Seq, 10)},
		{"Probes", fmt.Sprintf("%d, %d broken; %d in progress", info.Counters.Probes, info.Counters.ProbesFailed, info.Counters.InFlight)},
		{"Refreshes", fmt.Sprintf("%d, %d shared another's probe", info.Counters.Refreshes, info.Counters.Coalesced)},
		{"Requests", fmt.Sprintf("%d, %d denied; %d streams open", info.Counters.Requests, info.Counters.Denied, info.Counters.Streams)},
	}
	if info.StoreError != "" {
		facts = append(facts, [2]string{"Last commit", info.StoreError})
	}
	if setup := info.Setup; setup != nil {
		if !setup.Config.LoadedAt.IsZero() {
			facts = append(facts, [2]string{"Loaded", stamp(setup.Config.LoadedAt)})
		}
		if len(setup.Config.RestartNeeded) > 0 {
			facts = append(facts, [2]string{"Restart needed for", strings.Join(setup.Config.RestartNeeded, ", ")})
		}
		for _, p := range setup.Config.Problems {
			facts = append(facts, [2]string{"Problem", p.Message})
		}
	}
	return facts
}
