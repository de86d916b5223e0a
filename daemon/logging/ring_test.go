package logging_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/logging"
)

// secret masks itself, and is kept where fmt would not let it.
type secret struct{ value string }

func (secret) String() string               { return "***" }
func (secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

type holder struct {
	Name   string
	Key    secret
	hidden secret
}

type broken struct{ p *int }

func (b *broken) String() string { return fmt.Sprint(*b.p) }

func TestLogRing(t *testing.T) {
	logger := func(r *logging.Ring) hclog.Logger {
		l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Info})
		l.RegisterSink(r)
		return l
	}
	t.Run("KeepsTheLastLines", func(t *testing.T) {
		r := logging.NewRing(hclog.Info)
		l := logger(r)
		for i := range 2500 {
			l.Info(fmt.Sprint(i))
		}
		lines, newest := r.Tail(5000)
		if len(lines) != 1000 || newest != 2500 || lines[0].Message != "1500" || lines[999].Message != "2499" {
			t.Errorf("%d lines, newest %d, from %q to %q", len(lines), newest, lines[0].Message, lines[len(lines)-1].Message)
		}
		if _, _, lost := r.Since(1499); !lost {
			t.Error("a line that left the ring is not reported as lost")
		}
		if lines, _, lost := r.Since(1500); lost || len(lines) != 1000 {
			t.Errorf("since 1500: %d lines, lost %v", len(lines), lost)
		}
		if lines, _, lost := r.Since(2500); lost || len(lines) != 0 {
			t.Errorf("since the newest: %d lines, lost %v", len(lines), lost)
		}
	})
	t.Run("LevelCanBeChanged", func(t *testing.T) {
		r := logging.NewRing(hclog.Info)
		l := logger(r)
		l.Debug("no")
		r.SetLevel(hclog.Debug)
		l.Debug("yes")
		lines, _ := r.Tail(10)
		if len(lines) != 1 || lines[0].Message != "yes" || lines[0].Level != "debug" {
			t.Errorf("got %+v", lines)
		}
	})
	t.Run("NextIsClosedByTheNextLine", func(t *testing.T) {
		r := logging.NewRing(hclog.Info)
		next := r.Next()
		select {
		case <-next:
			t.Fatal("closed before")
		default:
		}
		logger(r).Info("x")
		<-next
	})
	t.Run("FieldsCanAlwaysBeEncodedAndShowNoSecret", func(t *testing.T) {
		r := logging.NewRing(hclog.Info)
		hidden := holder{"n", secret{"s3cret"}, secret{"s3cret"}}
		logger(r).Named("store").Info("m", "s", "x", "n", 3, "b", true, "f", 1.5, "nan", math.NaN(), "d", 1500*time.Millisecond,
			"err", errors.New("boom"), "secret", secret{"s3cret"}, "holder", hidden, "pointer", &hidden,
			"list", []string{"a", "b"}, "fmt", hclog.Fmt("%d%%", 5), "func", func() {}, "chan", make(chan int),
			"broken", &broken{}, "nil", nil, "utf8", "a\xffb", "long", strings.Repeat("é", 4000), 7, "key", "odd")
		lines, _ := r.Tail(1)
		got := lines[0].Fields
		b, err := json.Marshal(lines[0])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "s3cret") {
			t.Errorf("a secret shows: %s", b)
		}
		if long := got["long"].(string); len(long) > 5000 || !strings.HasSuffix(long, "é…") {
			t.Errorf("a long value has %d bytes", len(long))
		}
		if !strings.Contains(got["broken"].(string), "PANIC") {
			t.Errorf("a value that panics: %v", got["broken"])
		}
		delete(got, "long")
		delete(got, "broken")
		delete(got, "func")
		delete(got, "chan")
		wanted := map[string]any{
			"module": "store", "s": "x", "n": int64(3), "b": true, "f": 1.5, "nan": "NaN", "d": "1.5s", "err": "boom",
			"secret": "***", "holder": `{"Name":"n","Key":"***"}`, "pointer": `{"Name":"n","Key":"***"}`,
			"list": `["a","b"]`, "fmt": "5%", "nil": nil, "utf8": "a�b", "7": "key", "EXTRA_VALUE_AT_END": "odd",
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
