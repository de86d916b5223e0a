package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// format is the value of --output.
type format struct {
	value   string
	allowed []string
}

const (
	formatTable    = "table"
	formatWide     = "wide"
	formatName     = "name"
	formatJSON     = "json"
	formatYAML     = "yaml"
	formatMarkdown = "markdown"
	formatTOML     = "toml"
)

func (f *format) String() string { return f.value }
func (f *format) Type() string   { return strings.Join(f.allowed, "|") }

func (f *format) Set(s string) error {
	if !slices.Contains(f.allowed, s) {
		return usage("", "use one of: %s", strings.Join(f.allowed, ", "))
	}
	f.value = s
	return nil
}

func (f *format) json() bool { return f.value == formatJSON }

// data reports whether the format is for programs, which get the daemon's reply as it is.
func (f *format) data() bool { return f.value == formatJSON || f.value == formatYAML }

// outputFlag adds -o to a command, with the formats that it has; the first is the default.
func outputFlag(cmd *command.Command, allowed ...string) *format {
	f := &format{value: allowed[0], allowed: allowed}
	cmd.Flags().VarP(f, "output", "o", "format of the output").Complete = command.Offer(allowed, command.NoFiles)
	return f
}

// passThrough prints the daemon's reply as it came, so that no field unknown to this
// version is lost. An error reply that has data is printed, and the error returned.
func (a *app) passThrough(ctx context.Context, req client.Request) error {
	return a.passThroughAs(ctx, req, &format{value: formatJSON})
}

// passThroughAs is passThrough in JSON or in YAML.
func (a *app) passThroughAs(ctx context.Context, req client.Request, out *format) error {
	body, err := a.client.Do(ctx, req)
	if err != nil && !hasData(body) {
		return err
	}
	return errors.Join(a.writeData(body, out), err)
}

// hasData reports whether a reply's body holds more than an error.
func hasData(body []byte) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return false
	}
	delete(fields, "error")
	return len(fields) > 0
}

// stdout is the writer for a format.
func (a *app) stdout(out *format) io.Writer {
	if out.data() {
		return a.data
	}
	return a.Stdout
}

// writeData prints a JSON text in the chosen format.
func (a *app) writeData(text []byte, out *format) error {
	if out.value != formatYAML {
		return a.writeJSON(text)
	}
	text, err := yamlOf(text)
	if err != nil {
		return err
	}
	_, err = a.data.Write(text)
	return err
}

// writeJSON prints a JSON text: indented for people, on one line for programs.
func (a *app) writeJSON(text []byte) error {
	text = bytes.TrimSpace(text)
	if a.term.shown {
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err == nil {
			text = indented.Bytes()
		}
	}
	return a.writeLine(text)
}

// writeLine prints a line of JSON, or several.
func (a *app) writeLine(text []byte) error {
	_, err := a.data.Write(append(bytes.Clone(provider.PrintableJSON(text)), '\n'))
	return err
}

// print writes a line for people.
func (a *app) print(line string) error {
	_, err := io.WriteString(a.Stdout, provider.Printable(a.here(line))+"\n")
	return err
}

// printData writes a line for programs.
func (a *app) printData(line string) error {
	_, err := io.WriteString(a.data, provider.Printable(line)+"\n")
	return err
}
