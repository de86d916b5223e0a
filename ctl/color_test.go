package ctl

import "testing"

// The flag decides, then NO_COLOR, then FORCE_COLOR, then what stdout is.
func TestColorFlag(t *testing.T) {
	type env = map[string]string
	for name, tc := range map[string]struct {
		flag  string
		env   env
		shown bool
		want  bool
	}{
		"Terminal":               {"", nil, true, true},
		"Pipe":                   {"", nil, false, false},
		"Dumb":                   {"", env{"TERM": "dumb"}, true, false},
		"NoColor":                {"", env{"NO_COLOR": "1"}, true, false},
		"NoColorIsEmpty":         {"", env{"NO_COLOR": ""}, true, true},
		"Forced":                 {"", env{"FORCE_COLOR": "1"}, false, true},
		"ForcedByAnyWord":        {"", env{"FORCE_COLOR": "yes"}, false, true},
		"ForcedOnADumbOne":       {"", env{"FORCE_COLOR": "3", "TERM": "dumb"}, true, true},
		"ForceIsEmpty":           {"", env{"FORCE_COLOR": ""}, false, false},
		"ForcedOff":              {"", env{"FORCE_COLOR": "0"}, true, false},
		"ForcedOffInWords":       {"", env{"FORCE_COLOR": "False"}, true, false},
		"NoColorOverForce":       {"", env{"NO_COLOR": "1", "FORCE_COLOR": "1"}, true, false},
		"AlwaysOverNoColor":      {"always", env{"NO_COLOR": "1"}, false, true},
		"AlwaysOverDumb":         {"always", env{"TERM": "dumb"}, true, true},
		"NeverOverForce":         {"never", env{"FORCE_COLOR": "1"}, true, false},
		"AutoLeavesItToTheRest":  {"auto", env{"NO_COLOR": "1"}, true, false},
		"AutoLeavesItToTheForce": {"auto", env{"FORCE_COLOR": "1"}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &ColorFlag{value: colorAuto}
			if tc.flag != "" {
				if err := f.Set(tc.flag); err != nil {
					t.Fatal(err)
				}
			}
			if got := f.Wanted(func(name string) string { return tc.env[name] }, tc.shown); got != tc.want {
				t.Errorf("colours are wanted: %v, want %v", got, tc.want)
			}
		})
	}
}
