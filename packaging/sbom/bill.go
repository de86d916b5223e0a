package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// The types are those of CycloneDX 1.6 that are used here, by its names
// (cyclonedx.org/docs/1.6/json).

type bom struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Licenses   []licence  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// bill is what the programs are made of: this module at a version, its programs, and for
// each program, on whatever system, the modules linked into it and Go's own library.
func bill(programs []*debug.BuildInfo, version string, made time.Time) bom {
	main := module("application", programs[0].Main.Path, version)
	main.Licenses = make([]licence, 1)
	main.Licenses[0].License.ID = "Apache-2.0"

	parts := map[string]component{}
	linked := map[string]map[string]bool{} // into each program, by references
	for _, info := range programs {
		program := main
		program.Name = path.Base(info.Path)
		program.PURL = main.PURL + "#" + strings.TrimPrefix(info.Path, info.Main.Path+"/")
		program.Ref = program.PURL
		parts[program.Ref] = program
		if linked[program.Ref] == nil {
			linked[program.Ref] = map[string]bool{}
		}
		for _, part := range linkedInto(info) {
			parts[part.Ref] = part
			linked[program.Ref][part.Ref] = true
		}
	}
	b := bom{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata:     metadata{Timestamp: made.UTC().Format(time.RFC3339), Component: main},
		Dependencies: []dependency{{main.Ref, sorted(linked)}},
	}
	for _, ref := range sorted(parts) {
		b.Components = append(b.Components, parts[ref])
		b.Dependencies = append(b.Dependencies, dependency{ref, sorted(linked[ref])})
	}
	b.SerialNumber = serial(b)
	return b
}

// linkedInto are the modules linked into a program, and Go's own library.
func linkedInto(info *debug.BuildInfo) []component {
	parts := []component{module("library", "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		part := module("library", dep.Path, dep.Version)
		if dep.Sum != "" { // as in go.sum: a digest of the files, not of one file
			part.Properties = []property{{"go:sum", dep.Sum}}
		}
		parts = append(parts, part)
	}
	return parts
}

func sorted[V any](refs map[string]V) []string { return slices.Sorted(maps.Keys(refs)) }

// module is a module as a component; its package URL names it.
func module(kind, name, version string) component {
	purl := "pkg:golang/" + strings.ReplaceAll(url.PathEscape(name), "%2F", "/") + "@" + url.QueryEscape(version)
	return component{Ref: purl, Type: kind, Name: named(kind, name), Version: version, PURL: purl}
}

// named is what people call it: a program by the last part of its path.
func named(kind, name string) string {
	if kind == "application" {
		return path.Base(name)
	}
	return name
}

// serial is a UUID that depends on what is in the bill alone: version 8, whose bits are
// the maker's own (RFC 9562, section 5.8).
func serial(b bom) string {
	sum := sha256.Sum256(fmt.Append(nil, b))
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
