package ctl_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// hostile is text that could mislead a terminal, a script or a person: it clears the
// screen, has a C1 control, reverses what follows, ends the line, and forges another.
const hostile = "a\x1b[2J\u009b31m\u0085\u202e\u2066\u200e\u061c\u2028\x7f\u200b\nproviderctl: hint: forged\tz"

// filled is a value of that type whose every text is hostile, as JSON.
func filled(v any) []byte {
	p := reflect.New(reflect.TypeOf(v))
	fill(p.Elem())
	text, err := json.Marshal(p.Interface())
	if err != nil {
		panic(err)
	}
	return text
}

func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case provider.Time, time.Time:
		v.Set(reflect.ValueOf(provider.Time{Time: time.Now()}).Convert(v.Type()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Interface:
		v.Set(reflect.ValueOf(hostile))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

// liar answers every route with hostile text, as a success or as an error.
func liar(t *testing.T, succeeds bool) (socket string) {
	t.Helper()
	replies := map[string][]byte{
		"status": filled(provider.StatusReply{}), "refresh": filled(provider.RefreshReply{}), "models": filled(provider.ModelsReply{}),
		"history": filled(provider.HistoryReply{}), "diagnostics": filled(provider.Diagnostics{}), "diagnose": filled(provider.DiagnoseReply{}),
		"daemon": filled(provider.DaemonInfo{}), "reload": filled(provider.ReloadReply{}), "log-level": filled(provider.LogLevel{}),
		"discover": filled(provider.DiscoverReply{}), "healthz": filled(provider.Health{}),
		"events": filled(provider.Event{}), "log": filled(provider.LogLine{}),
	}
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		body, known := replies[last]
		if !known {
			body = filled(provider.Status{})
		}
		switch {
		case !succeeds:
			w.WriteHeader(http.StatusUnprocessableEntity)
			body = filled(provider.ErrorReply{})
		case last == "events" || last == "log":
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		w.Write(append(body, '\n'))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return socket
}

// lines are command lines for every command, with every format.
func lines(parent *command.Command) (all [][]string) {
	for _, cmd := range parent.Commands() {
		if cmd.HasSubCommands() {
			all = append(all, lines(cmd)...)
			continue
		}
		line := strings.Fields(cmd.CommandPath())[1:]
		for _, word := range strings.Fields(cmd.Use)[1:] {
			if !strings.HasPrefix(word, "[") {
				line = append(line, "p")
			}
		}
		for flag, value := range map[string]string{"timeout": "1s", "status": "429"} {
			if cmd.Flags().Lookup(flag) != nil {
				line = append(line, "--"+flag, value)
			}
		}
		all = append(all, line)
		if f := cmd.Flags().Lookup("output"); f != nil {
			for _, format := range strings.Split(f.Value.Type(), "|") {
				all = append(all, append(slices.Clone(line), "-o", format))
			}
		}
	}
	return all
}

// Whatever the daemon sends, or the user typed, all output is plain text: no control
// characters except line breaks and tabs, nothing that reverses the direction, no line of a
// message that could pass for another message.
func TestOutput_IsText(t *testing.T) {
	t.Chdir(t.TempDir()) // where a backup goes
	all := append(lines(ctl.Commands()), []string{"pick", hostile}, []string{hostile}, []string{"status", "--" + hostile},
		[]string{"status", "-o", hostile}, []string{"help", hostile}, []string{"completion", hostile},
		[]string{"__complete", "status", ""}, []string{"__complete", "pause", ""}, []string{"__complete", hostile, ""},
		[]string{"__complete", "status", "--" + hostile, ""}, []string{"__complete", "status", "-o", hostile})
	if len(all) < 60 {
		t.Fatalf("only %d command lines", len(all))
	}
	for _, succeeds := range []bool{true, false} {
		socket := liar(t, succeeds)
		for _, line := range all {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a wait would not end
			got := run(ctx, append([]string{"--socket", socket}, line...)...)
			if line[0] == "__complete" {
				got = run(ctx, append([]string{"__complete", "--socket", socket}, line[1:]...)...)
			}
			cancel()
			for name, text := range map[string]string{"stdout": got.out, "stderr": got.err} {
				if bad := strings.IndexFunc(text, func(r rune) bool { return !provider.Shows(r) && r != '\n' && r != '\t' }); bad >= 0 || !utf8.ValidString(text) {
					t.Errorf("%q, %v: %s has %q", line, succeeds, name, text[max(0, bad-40):])
				}
				if strings.Contains("\n"+text, "\nproviderctl: hint: forged") {
					t.Errorf("%q, %v: %s has a line that is forged", line, succeeds, name)
				}
			}
			if format := slices.Index(line, "json"); succeeds && format > 0 && got.out != "" {
				for text := range strings.Lines(got.out) {
					if !json.Valid([]byte(text)) {
						t.Errorf("%q: no JSON: %.200q", line, text)
					}
				}
				if strings.Contains(got.out, `\u001b`) && !strings.Contains(got.out, `\u202e`) {
					t.Errorf("%q: the values are others: %.300q", line, got.out)
				}
			}
		}
	}
}

// A name that cannot be typed is not offered, and every offered name is right.
func TestCompletion_OffersOnlyWhatCanBeTyped(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(
		`{"id":"good","state":"RUN\u001b[2J\nNING"}`, `{"id":"tab\tx","state":"RUNNING"}`, `{"id":"two\nlines","state":"RUNNING"}`,
		`{"id":"esc\u001b[2J","state":"RUNNING"}`, `{"id":"c1\u009b2J","state":"RUNNING"}`, `{"id":"bidi\u202e","state":"RUNNING"}`, `{"id":"","state":"RUNNING"}`)}})
	got := run(t.Context(), "__complete", "--socket", d.socket, "status", "")
	if want := "good\t" + `RUN\x1b[2J` + "\n:4\n"; got.out != want {
		t.Errorf("got %q, want %q", got.out, want)
	}
}
