// Command sbom writes what programs written in Go are made of, as a bill of materials
// in CycloneDX 1.6 (JSON). It reads what the linker recorded in them, as
// `go version -m` does, so nothing can be in a program and not in its bill.
//
//	sbom -version v1.2.3 -time SECONDS FILE… >providerd.cdx.json
//
// The same programs give the same bytes.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	version := flag.String("version", "", "the `version` of the programs")
	seconds := flag.Int64("time", 0, "when they were made, in `seconds` since 1970")
	flag.Parse()
	if *version == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: sbom -version VERSION -time SECONDS FILE…")
		os.Exit(2)
	}
	var programs []*debug.BuildInfo
	for _, name := range flag.Args() {
		info, err := buildinfo.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "sbom:", err)
			os.Exit(1)
		}
		programs = append(programs, info)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(bill(programs, *version, time.Unix(*seconds, 0))); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}
