package top_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Of a provider in maintenance, the list says so when it is selected, and its card does.
func TestRun_Maintenance(t *testing.T) {
	d := startDaemon(t, isUp("ollama"))
	d.upkeep = []provider.Maintenance{{ID: "ollama", Until: provider.Time{Time: time.Now().Add(48 * time.Hour)}}}
	s := show(t, d, 100, 40)
	s.await(`> ollama`, `in maintenance: ollama until `)
	s.press(enter)
	s.await(`^● ollama`, `Maintenance: until .*; nobody is told of trouble`)
}
