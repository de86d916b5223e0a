package logging

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// blocked is a writer that nobody reads until the test opens it.
type blocked struct {
	open chan struct{}
	got  strings.Builder
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.open
	return b.got.Write(p)
}

func TestAsyncWriter(t *testing.T) {
	t.Run("NeverWaitsAndTellsWhatItDropped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := &blocked{open: make(chan struct{})}
			w := newAsyncWriter(b)
			for i := range 2 * queuedLines { // would deadlock the bubble if it waited
				fmt.Fprintf(w, "line %d\n", i)
			}
			w.Close(time.Second) // gives up
			close(b.open)
			<-w.written
			if lines := strings.Count(b.got.String(), "line "); lines < queuedLines || lines > queuedLines+1 {
				t.Errorf("%d lines", lines)
			}
		})
	})
	t.Run("GoesOnWhenItIsReadAgain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := &blocked{open: make(chan struct{})}
			w := newAsyncWriter(b)
			for range queuedLines + 10 {
				fmt.Fprintln(w, "early")
			}
			close(b.open)
			synctest.Wait()
			fmt.Fprintln(w, "late")
			w.Close(time.Second)
			if s := b.got.String(); !strings.Contains(s, "log lines were dropped") || !strings.HasSuffix(s, "late\n") {
				t.Errorf("…%s", s[len(s)-100:])
			}
		})
	})
	t.Run("CloseWritesTheRest", func(t *testing.T) {
		var got strings.Builder
		w := newAsyncWriter(&got)
		fmt.Fprintln(w, "last words")
		w.Close(time.Minute)
		w.Close(time.Minute)
		fmt.Fprintln(w, "too late")
		if got.String() != "last words\n" {
			t.Errorf("%q", got.String())
		}
	})
}
