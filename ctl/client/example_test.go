package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// startDaemon starts a real daemon for an example. It watches "gateway", which is up,
// and "backup", where nothing listens.
func startDaemon() (socket string, stop func()) {
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		panic(err)
	}
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	file := filepath.Join(dir, "providerd.toml")
	text := fmt.Sprintf("[defaults]\ntimeout = \"60s\"\nslow_after = \"60s\"\n[[provider]]\nid = \"gateway\"\nkind = \"http\"\nbase_url = %q\n"+
		"[[provider]]\nid = \"backup\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n", up.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err)
	}
	socket = filepath.Join(dir, "run", "s")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	swept := make(chan struct{})
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{
			ConfigPath: file, Socket: socket, StateDir: filepath.Join(dir, "state"),
			LogLevel: "error", LogTo: io.Discard, Env: config.OSEnv(),
			FirstSweep: func(provider.StatusReply) { close(swept) },
		})
	}()
	select {
	case <-swept:
	case err := <-ended:
		panic(err)
	}
	return socket, func() {
		cancel()
		<-ended
		up.Close()
		os.RemoveAll(dir)
	}
}

// What is known of all providers, without waiting for anything.
func ExampleClient_Status() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket} // leave Socket out to find the daemon that runs
	reply, err := c.Status(context.Background(), client.StatusQuery{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range reply.Providers {
		fmt.Println(row.ID, row.State, row.Reason)
	}
	// Output:
	// gateway RUNNING ok
	// backup STOPPED connection_refused
}

// Before a request that must not fail: probe what was not probed in the last second, and
// wait for the result.
func ExampleClient_Status_fresh() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket}
	second, wait := time.Second, 30*time.Second
	reply, err := c.Status(context.Background(), client.StatusQuery{IDs: []string{"gateway"}, MaxAge: &second, Wait: &wait})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reply.Providers[0].State == provider.StateRunning)
	// Output: true
}

// A refresh has a generation. A row of that generation or a later one is from a probe that
// began after the refresh was accepted.
func ExampleClient_Refresh() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket}
	ctx := context.Background()
	refresh, err := c.Refresh(ctx, client.RefreshQuery{IDs: []string{"gateway"}, Wait: 30 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	row, err := c.Provider(ctx, "gateway")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(row.State, row.Generation >= refresh.Generation)
	// Output: RUNNING true
}

// How often each provider could not be used in the last month. UsableRatio is how much of the
// known time it could be.
func ExampleClient_Histories() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket}
	all, err := c.Histories(context.Background(), client.HistoryQuery{Window: 30 * 24 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range all.Providers {
		fmt.Println(h.ID, h.Outages.Count)
	}
	// Output:
	// gateway 0
	// backup 1
}

// Past events, from the first; with Follow, new ones too. To continue after a break, give
// the Seq of the last one as Since.
func ExampleClient_Events() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket}
	for event, err := range c.Events(context.Background(), client.EventsQuery{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.ID, event.To, event.Reason)
	}
	// Unordered output:
	// gateway RUNNING ok
	// backup STOPPED connection_refused
}

// Every error has a code to decide on, and most have a hint for a person.
func Example_errors() {
	socket, stop := startDaemon()
	defer stop()

	c := &client.Client{Socket: socket}
	_, err := c.Provider(context.Background(), "gatway")
	var e *provider.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code == provider.UnknownProvider, e.Hint != "")
	}

	gone := &client.Client{Socket: socket + "-gone", DialPatience: -1} // do not wait for one that is starting
	_, err = gone.Provider(context.Background(), "gateway")
	if errors.As(err, &e) {
		fmt.Println(e.Code == provider.DaemonUnreachable)
	}
	// Output:
	// true true
	// true
}
