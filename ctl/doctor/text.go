package doctor

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// place puts this daemon's paths into what to type.
func place(text string, f *Facts) string {
	folder, socket := f.Disk.Folder, ""
	if f.Info != nil {
		folder, socket = path.Dir(f.Info.StatePath), f.Info.Socket
	}
	return strings.NewReplacer("FOLDER", provider.ShellWord(folder), "SOCKET", provider.ShellWord(socket)).Replace(text)
}

// counted is a number of things.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// span is a time, roughly.
func span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// size is a number of bytes, roughly.
func size(n uint64) string {
	const kilo = 1000
	switch {
	case n < kilo*kilo:
		return fmt.Sprintf("%d kB", n/kilo)
	case n < kilo*kilo*kilo:
		return fmt.Sprintf("%d MB", n/kilo/kilo)
	}
	return fmt.Sprintf("%d GB", n/kilo/kilo/kilo)
}

// lines are those of a text, without empty ones.
func lines(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			all = append(all, strings.TrimRight(line, " \r"))
		}
	}
	return all
}
