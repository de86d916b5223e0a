package mcp

import (
	"encoding/json"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/providerd/providerd/store/provider"
)

const (
	// most is how many bytes an answer has at most, with its words and its values. With what
	// the protocol puts around it, that is less than 1 kB.
	most = 840

	// mostItems is how many items are tried. No more fit.
	mostItems = 32
)

// An answer is what a tool says, as values, and in words.
type answer interface{ words() string }

// fit is the answer with as many items as fit, of up to n.
func fit[A answer](n int, of func(items int) A) A {
	for items := min(n, mostItems); ; items-- {
		if a := of(items); items <= 0 || size(a) <= most {
			return a
		}
	}
}

// size is how many bytes an answer has.
func size(a answer) int {
	body, err := json.Marshal(&mcp.CallToolResult{Content: content(a), StructuredContent: a})
	if err != nil {
		return math.MaxInt
	}
	return len(body)
}

func content(a answer) []mcp.Content {
	return []mcp.Content{&mcp.TextContent{Text: a.words()}}
}

// clip shortens a text from outside to about n bytes of JSON, on one line.
func clip(s string, n int) string {
	s = provider.Printable(s)
	for i, r := range s {
		switch n--; {
		case r == '<' || r == '>' || r == '&':
			n -= len(`\u003c`) - 1
		case r == '"' || r == '\\':
			n--
		case r >= utf8.RuneSelf:
			n -= utf8.RuneLen(r) - 1
		}
		if n < 0 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

// secondsUntil is how many whole seconds it is until then, at least 1; 0 if it is past or
// not known.
func secondsUntil(then, now time.Time) int {
	if then.IsZero() || !then.After(now) {
		return 0
	}
	return int(math.Ceil(min(then.Sub(now).Seconds(), math.MaxInt32)))
}

// sentence joins the parts that are not empty.
func sentence(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ")
}
