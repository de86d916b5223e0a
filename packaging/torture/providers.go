//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
)

// A flipper is a server that fails every third request, so that every provider's state changes
// all the time, until it is steady.
type flipper struct {
	*httptest.Server
	steady atomic.Bool
}

func flipping() *flipper {
	f := new(flipper)
	var asked atomic.Int64
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%3 == 0 && !f.steady.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	return f
}

// steady is a server that always works.
func steady() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// watching is a configuration of that many providers at that address.
func watching(providers int, address string) string {
	var text strings.Builder
	text.WriteString("[defaults]\ntimeout = \"60s\"\nslow_after = \"60s\"\ninterval = \"1s\"\nfall = 1\n")
	for i := range providers {
		fmt.Fprintf(&text, "[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = %q\n", i, address)
	}
	return text.String()
}
