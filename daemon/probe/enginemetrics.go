package probe

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// A role is what a metric says about an engine's work.
type role uint8

const (
	noRole  role = iota
	running      // requests that it works on
	waiting      // requests that it took, and does not work on yet
	moves        // what changes as it works
)

// engineMetrics names the metrics of an engine that show its work.
type engineMetrics struct {
	// says is what makes the engine look healthy.
	says string
	// prefix is how its metrics begin, before a ":" or "_".
	prefix string
	// roles of metrics, by their names without the prefix and without "_total", which
	// some versions of the libraries add.
	roles map[string]role
	// except is a label's value that keeps a series from counting; may be empty.
	except string
	// patience: see load.
	patience time.Duration
}

// read reads Prometheus' text format, all engines and models together. The order of the
// series does not matter.
func (m *engineMetrics) read(page []byte) load {
	l := load{patience: m.patience}
	for line := range bytes.Lines(page) {
		s, ok := readSample(line)
		if !ok || math.IsNaN(s.value) || math.IsInf(s.value, 0) {
			continue
		}
		if m.except != "" && bytes.Contains(s.labels, []byte(m.except)) {
			continue
		}
		switch name := m.short(s.name); m.roles[string(name)] {
		case running:
			l.running += max(s.value, 0)
			l.told = true
		case waiting:
			l.waiting += max(s.value, 0)
			l.queued = true
		case moves:
			l.progress += digest(name, s.value)
		}
	}
	return l
}

// short is a metric's name without the engine's prefix; nil for other metrics.
func (m *engineMetrics) short(name []byte) []byte {
	own, ok := bytes.CutPrefix(name, []byte(m.prefix))
	if !ok || len(own) < 2 || own[0] != ':' && own[0] != '_' {
		return nil
	}
	return bytes.TrimSuffix(own[1:], []byte("_total"))
}

// digest is that of one value. Digests are summed, so the order does not matter.
func digest(name []byte, value float64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(name) // a hash never fails
	_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(value)))
	return h.Sum64()
}

// A sample is a line of Prometheus' text format.
type sample struct {
	name, labels []byte
	value        float64
}

// readSample reads name{labels} value [timestamp] [# exemplar]; ok is false for comments
// and anything else. Labels can hold anything in quotes.
func readSample(line []byte) (s sample, ok bool) {
	line = bytes.TrimSpace(line)
	end := bytes.IndexAny(line, "{ \t")
	if end <= 0 || line[0] == '#' {
		return s, false
	}
	s.name = line[:end]
	rest := line[end:]
	if rest[0] == '{' {
		end = labelsEnd(rest)
		s.labels, rest = rest[:end], rest[end:]
	}
	rest = bytes.TrimLeft(rest, " \t")
	if end = bytes.IndexAny(rest, " \t"); end >= 0 {
		rest = rest[:end]
	}
	var err error
	s.value, err = strconv.ParseFloat(string(rest), 64)
	return s, err == nil
}

// labelsEnd is where the labels at the beginning of b end.
func labelsEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == '}' && !quoted:
			return i + 1
		}
	}
	return len(b)
}
