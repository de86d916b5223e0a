package complaint

import (
	"strings"
	"time"
)

// comebacks are the words after which prose says when to come back: OpenAI's and Groq's
// "Please try again in 9m38.016s", Azure's "Please retry after 45 seconds" and "Try again
// in 26 seconds", Google's "Please retry in 36.5s", Django REST framework's "Expected
// available in 29 seconds", Moonshot's "please try again after 1 seconds", Azure's API
// Management "Quota will be replenished in 07:01:20", and its models' "Please wait 58322
// seconds before retrying".
var comebacks = [...]string{
	"try again in ", "try again after ", "try again at ", "try again on ", "try again later in ",
	"retry in ", "retry after ", "retry at ", "retry after: ", "retry-after ", "retry-after: ", "retry your request after ", "retry your requests after ",
	"available in ", "available again in ", "available at ", "available again at ",
	"reset in ", "resets in ", "reset after ", "resets after ", "reset at ", "resets at ", "will reset on ",
	"replenished in ", "wait ", "wait for ", "after waiting ",
}

// proseWait is the longest wait that a text asks for in words; 0 if it asks for none. A
// time without a zone is ignored.
func proseWait(text string, now time.Time) time.Duration {
	var longest time.Duration
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // some letters are longer in lower case
		text = lower
	}
	for _, words := range comebacks {
		for rest, n := 0, 0; n < widest; n++ {
			at := strings.Index(lower[rest:], words)
			if at < 0 {
				break
			}
			rest += at + len(words)
			longest = max(longest, waitAfter(text[rest:], strings.HasPrefix(words, "retry") && strings.Contains(words, "after"), now))
		}
	}
	return max(longest, chineseWait(lower))
}

// chineseWait is the longest wait that a text asks for in Chinese, where the time comes
// before the word for "after": "请 30 秒后重试", "请在 1 小时 5 分钟后再试".
func chineseWait(text string) (longest time.Duration) {
	for {
		before, after, found := strings.Cut(text, "后")
		if !found {
			return longest
		}
		longest = max(longest, chineseDuration(strings.TrimSuffix(strings.TrimRight(before, " "), "之")))
		text = after
	}
}

// chineseDuration reads the duration that a text ends with.
func chineseDuration(text string) (sum time.Duration) {
	for {
		text = strings.TrimRight(text, " ")
		rest, unit := chineseUnit(text)
		if unit == 0 {
			return sum
		}
		rest = strings.TrimRight(rest, " ")
		digits := len(rest)
		for digits > 0 && (rest[digits-1] >= '0' && rest[digits-1] <= '9' || rest[digits-1] == '.') {
			digits--
		}
		n, ok := number(rest[digits:])
		if !ok {
			return sum
		}
		sum = min(sum+scaled(n, unit), latest)
		text = rest[:digits]
	}
}

// chineseUnit cuts off the unit that a text ends with; 0 if there is none.
func chineseUnit(text string) (rest string, unit time.Duration) {
	for _, u := range [...]struct {
		name string
		unit time.Duration
	}{
		{"毫秒", time.Millisecond}, {"秒钟", time.Second}, {"秒", time.Second}, {"分钟", time.Minute}, {"分", time.Minute},
		{"小时", time.Hour}, {"天", 24 * time.Hour},
	} {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			return rest, u.unit
		}
	}
	return text, 0
}

// waitAfter reads what follows those words: a duration, or a moment with its zone. A bare
// number counts as seconds only if bare is set.
func waitAfter(text string, bare bool, now time.Time) time.Duration {
	text = text[:min(len(text), 64)]
	for _, filler := range [...]string{"about ", "approximately ", "approx. ", "around ", "~", "another ", "the next ", "at least "} {
		if len(text) >= len(filler) && strings.EqualFold(text[:len(filler)], filler) {
			text = text[len(filler):]
		}
	}
	if wait, _ := wordedDuration(strings.ToLower(text)); wait > 0 {
		return wait
	}
	words := strings.Fields(text)
	for n := min(len(words), 6); n > 0; n-- {
		v := strings.TrimRight(strings.Join(words[:n], " "), ".,;:!)")
		if at, ok := readMoment(v); ok && zoned(v) {
			return atLeastSoonest(at.Sub(now))
		}
		if n > 1 {
			continue
		}
		if d, ok := clockDuration(v); ok {
			return d
		}
		if d, ok := isoDuration(v); ok {
			return d
		}
		if n, ok := number(v); ok && bare {
			wait, _ := readNumber(n, time.Second, now)
			return wait
		}
	}
	return 0
}

// zoned reports whether a moment has a zone. One with a T was written by a machine, and is
// in UTC.
func zoned(v string) bool {
	upper := strings.ToUpper(v)
	return strings.HasSuffix(upper, "Z") || strings.Contains(upper, "UTC") || strings.Contains(upper, "GMT") ||
		len(v) > 10 && v[10] == 'T' || len(v) > 6 && strings.ContainsAny(v[len(v)-6:], "+-")
}

// wordedDuration reads the duration at the beginning of a text, made of numbers and units:
// "9m38.016s", "45 seconds", "1 hour and 30 minutes". It returns the rest of the text too.
func wordedDuration(text string) (sum time.Duration, rest string) {
	rest = text
	for {
		next := strings.TrimLeft(rest, " ")
		if sum > 0 {
			next = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(next, ","), "and "), " ")
			next = strings.TrimPrefix(next, "and ")
		}
		digits := 0
		for digits < len(next) && (next[digits] >= '0' && next[digits] <= '9' || next[digits] == '.') {
			digits++
		}
		n, ok := number(next[:digits])
		next = strings.TrimLeft(next[digits:], " ")
		letters := 0
		for letters < len(next) && next[letters] >= 'a' && next[letters] <= 'z' {
			letters++
		}
		unit, known := units[next[:letters]]
		if !known {
			unit, known = units[strings.TrimSuffix(next[:letters], "s")]
		}
		if !ok || !known {
			return sum, rest
		}
		sum = min(sum+scaled(n, unit), latest)
		rest = next[letters:]
	}
}

var units = map[string]time.Duration{
	"ms": time.Millisecond, "msec": time.Millisecond, "milli": time.Millisecond, "millisecond": time.Millisecond,
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
}
