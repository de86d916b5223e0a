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

// The card of a provider with slots shows how they stand.
func TestRun_CardShowsSlots(t *testing.T) {
	d := startDaemon(t, isUp("ollama"))
	d.replies["GET /api/providers/ollama/slots"] = reply{200, `{"provider_id":"ollama","total":2,"used":1,"free":1,"waiting":3}`}
	s := show(t, d, 100, 40)
	s.await(`> ollama`)
	s.press(enter)
	s.await(`^● ollama`, `Slots: 1 of 2 slots used, 3 waiting`)
}
