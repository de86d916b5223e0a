package metrics

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// This file writes Prometheus' text format, version 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

// appendSeries appends a series up to its value. labels alternates names and values; there
// is at least one label.
func appendSeries(b []byte, name string, labels ...string) []byte {
	b = append(b, name...)
	for i, before := 0, byte('{'); i < len(labels); i, before = i+2, ',' {
		b = append(b, before)
		b = append(b, labels[i]...)
		b = append(b, '=', '"')
		b = appendEscaped(b, labels[i+1])
		b = append(b, '"')
	}
	return append(b, '}', ' ')
}

// escapes are the escapes in a label's value. Prometheus refuses a whole scrape for one
// value that is not UTF-8.
var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c == '\\' || c == '\n' || c == '"' || c >= utf8.RuneSelf {
			return append(b, escapes.Replace(strings.ToValidUTF8(value, string(utf8.RuneError)))...)
		}
	}
	return append(b, value...)
}

// appendCount ends a series with an integer.
func appendCount(b []byte, n uint64) []byte {
	return append(strconv.AppendUint(b, n, 10), '\n')
}

// appendFloat ends a series with a float.
func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf\n"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf\n"...)
	}
	return append(strconv.AppendFloat(b, v, 'g', -1, 64), '\n')
}

// appendTime ends a series with the seconds since 1970, to the millisecond.
func appendTime(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		return appendFloat(b, float64(ms)/1000)
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if ms %= 1000; ms > 0 {
		b = append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
	}
	return append(b, '\n')
}
