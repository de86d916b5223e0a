package config_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

// TestParse_HostileShapes checks that a small file does not cost much, whatever its shape.
// Positions that repeat the names of their parents would cost its size squared.
func TestParse_HostileShapes(t *testing.T) {
	const size = 32 << 10
	var long strings.Builder
	long.WriteString("[" + strings.Repeat("a", size/2) + "]\n")
	for i := 0; long.Len() < size; i++ {
		long.WriteString("k" + strconv.Itoa(i) + "=1\n")
	}
	for name, data := range map[string]string{
		"DottedKey":     strings.Repeat("a.", size/2) + "a=1",
		"DottedHeader":  "[" + strings.Repeat("a.", size/2) + "a]",
		"LongHeader":    long.String(),
		"NestedLists":   "a=" + strings.Repeat("[", 4000) + strings.Repeat("]", 4000),
		"NestedTables":  "a=" + strings.Repeat("{a=", 4000) + "1" + strings.Repeat("}", 4000),
		"OpenBrackets":  "a=" + strings.Repeat("[", size),
		"EmptyEntries":  strings.Repeat("[[provider]]\n", size/13),
		"UnclosedBlock": "api_key = \"\"\"\n" + strings.Repeat("\n", size),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := config.Parse("p.toml", []byte(data), kinds(), env(nil, nil))
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("accepted")
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
				t.Errorf("%d bytes of file took %d MiB to refuse", len(data), used>>20)
			}
			if len(err.Error()) > 10_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
