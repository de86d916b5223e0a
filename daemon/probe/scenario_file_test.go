package probe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A scenario is one file of testdata/scenarios: a server, its configuration, and the row
// that must result. The format is explained in testdata/scenarios/README.md.
type scenario struct {
	About    string           `toml:"about"`
	Source   string           `toml:"source"`
	Kinds    []string         `toml:"kinds"`
	Probes   int              `toml:"probes"`
	Every    duration         `toml:"every"` // how far the clock goes between two probes
	Provider scenarioProvider `toml:"provider"`
	Server   scenarioServer   `toml:"server"`
	Answers  []scenarioAnswer `toml:"answer"`
	Want     scenarioWant     `toml:"want"`

	folder, name string
}

type scenarioProvider struct {
	Key       *string   `toml:"key"`
	Models    []string  `toml:"models"`
	BasePath  *string   `toml:"base_path"`
	Timeout   *duration `toml:"timeout"`
	SlowAfter *duration `toml:"slow_after"`
	Facts     *bool     `toml:"facts"`

	ExpectStatus []int          `toml:"expect_status"`
	ExpectBody   string         `toml:"expect_body"`
	ExpectJSON   map[string]any `toml:"expect_json"`
	ExpectDays   int            `toml:"expect_days"`
	ExpectAnswer string         `toml:"expect_answer"`
}

type scenarioServer struct {
	Connect string `toml:"connect"`
	TLS     string `toml:"tls"`
	Raw     string `toml:"raw"`
}

type scenarioAnswer struct {
	Path     string            `toml:"path"`
	Method   string            `toml:"method"`
	IfHeader string            `toml:"if_header"`
	Times    int               `toml:"times"`
	Status   int               `toml:"status"`
	Headers  map[string]string `toml:"headers"`
	Body     string            `toml:"body"`
	Repeat   int               `toml:"repeat"`
	Hang     bool              `toml:"hang"`
	Cut      bool              `toml:"cut"`
}

type scenarioWant struct {
	State         provider.State           `toml:"state"`
	Reason        provider.Reason          `toml:"reason"`
	Detail        *string                  `toml:"detail"`
	Hint          string                   `toml:"hint"`
	RetryIn       duration                 `toml:"retry_in"`
	Version       string                   `toml:"version"`
	Models        []string                 `toml:"models"`
	ModelsUnknown bool                     `toml:"models_unknown"`
	Loaded        []string                 `toml:"loaded"`
	LoadedUnknown bool                     `toml:"loaded_unknown"`
	Busy          string                   `toml:"busy"`
	Requests      []string                 `toml:"requests"`
	Model         map[string]scenarioModel `toml:"model"`
}

type scenarioModel struct {
	Size          *int64  `toml:"size"`
	Family        *string `toml:"family"`
	Quantization  *string `toml:"quantization"`
	ContextLength *int64  `toml:"context_length"`
	Loaded        *bool   `toml:"loaded"`
}

// A duration is written "250ms".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	return err
}

const scenarioFolder = "testdata/scenarios"

// general is the folder of the rules that are the same for all kinds.
const general = "rules"

var (
	scenarioSource = regexp.MustCompile(`^(https://\S+|[\w.-]+/[\w.-]+ \S+)`)
	loadScenarios  = sync.OnceValues(readScenarios)
)

func readScenarios() ([]*scenario, error) {
	var all []*scenario
	var errs []error
	err := filepath.WalkDir(scenarioFolder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".toml" {
			return err
		}
		s, err := readScenario(path)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		all = append(all, s)
		return nil
	})
	return all, errors.Join(append(errs, err)...)
}

// readScenario reads a file. An unknown key is an error.
func readScenario(path string) (*scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &scenario{folder: filepath.Base(filepath.Dir(path)), name: strings.TrimSuffix(filepath.Base(path), ".toml")}
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	var wrong *toml.DecodeError
	var unknown *toml.StrictMissingError
	switch err := dec.Decode(s); {
	case errors.As(err, &unknown):
		wrong = &unknown.Errors[0]
		fallthrough
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return nil, fmt.Errorf("%s:%d: %v\n%s", path, row, wrong, wrong.String())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// check refuses what the format's types allow.
func (s *scenario) check() error {
	w := &s.Want
	switch {
	case s.About == "" || strings.HasSuffix(s.About, ".") || strings.Contains(s.About, "\n"):
		return errors.New("about must be one sentence without a full stop")
	case !scenarioSource.MatchString(s.Source) && (s.folder != general || s.Source != "docs/reasons.md"):
		return fmt.Errorf("source %q is neither an https URL nor \"owner/repo path\"", s.Source)
	case w.State == "" || w.Reason == "":
		return errors.New("want.state and want.reason are missing")
	case w.ModelsUnknown && w.Models != nil, w.LoadedUnknown && w.Loaded != nil:
		return errors.New("a list cannot be unknown and known")
	case !slices.Contains([]string{"", "refuse", "close", "reset", "silent"}, s.Server.Connect):
		return fmt.Errorf("server.connect %q is not known", s.Server.Connect)
	case !slices.Contains(tlsWords, s.Server.TLS):
		return fmt.Errorf("server.tls %q is not known", s.Server.TLS)
	}
	for i, a := range s.Answers {
		if a.Path != "*" && !strings.HasPrefix(a.Path, "/") {
			return fmt.Errorf("answer %d has no path", i+1)
		}
		if _, _, ok := strings.Cut(a.IfHeader, ": "); a.IfHeader != "" && !ok {
			return fmt.Errorf("answer %d: if_header is not \"Name: value\"", i+1)
		}
	}
	kinds, err := s.kinds()
	if err == nil && len(kinds) == 0 {
		err = errors.New("kinds names none")
	}
	return err
}

// kinds resolves names and groups, in the order of the table.
func (s *scenario) kinds() ([]config.Kind, error) {
	var kinds []config.Kind
	known := map[string]bool{}
	for _, k := range probe.Kinds() {
		in := false
		groups := map[string]bool{k.Name: true, string(k.Type): true, "web": isWeb(k), "all": true}
		for _, name := range s.Kinds {
			bare := strings.TrimPrefix(name, "-")
			yes, ok := groups[bare]
			known[name] = known[name] || ok
			if yes {
				in = bare == name
			}
		}
		if in {
			kinds = append(kinds, k)
		}
	}
	for _, name := range s.Kinds {
		if !known[name] {
			return nil, fmt.Errorf("no kind and no group is called %q", name)
		}
	}
	return kinds, nil
}

// isWeb reports whether a kind uses HTTP.
func isWeb(k config.Kind) bool { return k.Schemes == nil || slices.Contains(k.Schemes, "http") }
