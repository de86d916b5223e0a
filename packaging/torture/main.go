//go:build linux

// Command torture treats real daemons as badly as a machine can, and counts what that costs
// their clients: kills, power cuts, disks that are full, hang, turn read-only or lie, damaged
// files, files moved away, wrong clocks, exhausted descriptors, storms of connections. A client
// of each daemon notes what it sees, and checks it afterwards.
//
// packaging/torture/run builds the programs, makes a mount namespace, and starts this command.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if role := os.Getenv(stormRole); role != "" {
		storm(role)
		return
	}
	os.Exit(run())
}

func run() int {
	var bench bench
	length := flag.Duration("for", 2*time.Minute, "how long to run; each trial gets its share, and at least one try")
	only := flag.String("only", "", "run only these trials, separated by commas")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random choices; timing stays random")
	list := flag.Bool("list", false, "list the trials")
	flag.StringVar(&bench.bin, "bin", "", "the folder with providerd")
	flag.StringVar(&bench.work, "work", "", "an empty folder")
	flag.BoolVar(&bench.keep, "keep", false, "keep the folder of a try that failed")
	flag.Parse()
	if *list {
		for _, t := range trials {
			fmt.Printf("%-12s %s\n", t.name, t.what)
		}
		return 0
	}
	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bench.ctx, bench.random = ctx, rand.New(rand.NewPCG(*seed, 0))
	fmt.Printf("seed %d, for %s\n", *seed, *length)
	table := bench.all(chosen, *length)
	table.print(os.Stdout)
	if ctx.Err() != nil {
		fmt.Println("interrupted")
		return 1
	}
	return table.exitCode()
}

func choose(only string) ([]trial, error) {
	if only == "" {
		return trials, nil
	}
	var chosen []trial
	for name := range strings.SplitSeq(only, ",") {
		t, known := find(name)
		if !known {
			return nil, fmt.Errorf("no such trial: %q; see: packaging/torture/run --list", name)
		}
		chosen = append(chosen, t)
	}
	return chosen, nil
}

func find(name string) (trial, bool) {
	for _, t := range trials {
		if t.name == name {
			return t, true
		}
	}
	return trial{}, false
}
