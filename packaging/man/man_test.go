package man_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/packaging/man"
)

func TestText(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"Options":    {"with --max-age, or -o json; well-known", "with \\-\\-max\\-age, or \\-o json; well-known\n"},
		"Sentences":  {"One. Two, e.g. this. --three", "One.\nTwo, e.g. this.\n\\-\\-three\n"},
		"Paragraphs": {"One\n\nTwo", "One\n.Pp\nTwo\n"},
		"NoControl":  {".so /etc/passwd\n'x", "\\&.so /etc/passwd\n\\&'x\n"},
		"Backslash":  {`a\b`, "a\\eb\n"},
		"Unicode":    {"ID… · ö", "ID\\[u2026] \\[u00B7] \\[u00F6]\n"},
		"Literal": {"As in:\n\n    one\n    .two\n\nand",
			"As in:\n.Pp\n.Bd -literal -offset indent -compact\none\n\\&.two\n.Ed\n.Pp\nand\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, man.Text(tc.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	root := &command.Command{Use: "p"}
	plain := &command.Command{Use: "status [ID…]", Short: "Show it", Example: "  p status"}
	plain.Flags().StringVarP(new(string), "output", "o", "table", "format of the `thing`")
	plain.Flags().BoolVar(new(bool), "secret", false, "").Hidden = true
	group := &command.Command{Use: "config", Short: "Check or show"}
	group.AddCommand(&command.Command{Use: "check FILE", Long: "Check a file."})
	group.PersistentFlags().BoolVar(new(bool), "user", false, "of this user")
	root.AddCommand(plain, group, &command.Command{Use: "hidden", Hidden: true})
	want := `.Bl -tag -width Ds
.It Cm config Ar command
Check or show.
.Pp
.Bl -tag -width Ds -compact
.It Fl -user
of this user
.El
.It Cm config check Ar FILE
Check a file.
.It Cm status Op Ar ID ...
Show it.
.Pp
.Bl -tag -width Ds -compact
.It Fl o , Fl -output Ar thing
format of the thing (default table)
.El
.Pp
.Bd -literal -compact
p status
.Ed
.El
`
	if diff := cmp.Diff(want, man.Commands(root)); diff != "" {
		t.Error(diff)
	}
}

func TestReplace(t *testing.T) {
	const page = "a\n.\\\" options\nold\n.\\\" end of options\nb\n"
	got, err := man.Replace(page, "options", "new\n")
	if want := "a\n.\\\" options\nnew\n.\\\" end of options\nb\n"; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := man.Replace(page, "commands", ""); err == nil {
		t.Error("a part that is not there is replaced")
	}
}
