package config

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A timing is the settings that can be in [defaults] and in each [[provider]]; 0 means not
// set.
type timing struct {
	interval, timeout, slowAfter time.Duration
	rise, fall                   int
}

// The bounds keep a typing error (1000000h, 5ns) from looking like a broken provider. A timeout
// may exceed the interval: a provider has at most one probe in flight, so probes then follow
// each other.
const (
	minInterval = time.Second
	maxInterval = 24 * time.Hour
	minTimeout  = 10 * time.Millisecond
	maxTimeout  = 5 * time.Minute
	minSlow     = time.Millisecond
	maxCount    = 100
)

// builtInTiming probes a vendor's API less often than a server of your own, and more
// patiently: a normal answer over the internet takes longer.
func builtInTiming(t provider.Type) timing {
	if t == provider.Cloud {
		return timing{interval: time.Minute, timeout: 5 * time.Second, slowAfter: 3 * time.Second, rise: 1, fall: 2}
	}
	return timing{interval: 10 * time.Second, timeout: 1500 * time.Millisecond, slowAfter: time.Second, rise: 1, fall: 2}
}

// timing combines the settings of a provider and of [defaults].
func (k *Kind) timing(own, defaults timing) timing {
	if k.Interval > defaults.interval {
		defaults.interval = k.Interval
	}
	return own.or(defaults).or(builtInTiming(k.Type))
}

// or fills in what is not set in t.
func (t timing) or(u timing) timing {
	return timing{
		interval:  firstSet(t.interval, u.interval),
		timeout:   firstSet(t.timeout, u.timeout),
		slowAfter: firstSet(t.slowAfter, u.slowAfter),
		rise:      firstSet(t.rise, u.rise),
		fall:      firstSet(t.fall, u.fall),
	}
}

func firstSet[T comparable](a, b T) T {
	var unset T
	if a != unset {
		return a
	}
	return b
}

// timing reads those settings of any table.
func (t *table) timing() timing {
	return timing{
		interval:  t.duration("interval", minInterval, maxInterval, "10s"),
		timeout:   t.duration("timeout", minTimeout, maxTimeout, "1500ms"),
		slowAfter: t.duration("slow_after", minSlow, maxTimeout, "1s"),
		rise:      t.count("rise", maxCount, "rise = 1"),
		fall:      t.count("fall", maxCount, "fall = 2"),
	}
}
