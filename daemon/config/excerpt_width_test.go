package config

import (
	"strings"
	"testing"
)

// The marker stands below what it marks, however wide the characters before it are.
func TestExcerpt_MarksByColumns(t *testing.T) {
	for line, want := range map[string]string{
		`name = "x", no = 1`:         "   1 | name = \"x\", no = 1\n     |             ^^",
		`name = "模型", no = 1`:        "   1 | name = \"模型\", no = 1\n     |                ^^",
		"name = \"e\u0301\", no = 1": "   1 | name = \"e\u0301\", no = 1\n     |             ^^",
	} {
		at := strings.Index(line, "no")
		if got := excerpt([]byte(line), span{at, at + 2}); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if got, want := excerpt([]byte(`"模型" = 1`), span{0, len(`"模型"`)}), "   1 | \"模型\" = 1\n     | ^^^^^^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
