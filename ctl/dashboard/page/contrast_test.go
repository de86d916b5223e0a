package page_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

var pair = regexp.MustCompile(`light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)

// Every text can be read on every ground it stands on, in a light and in a dark scheme: level
// AA of the WCAG, 4.5 to 1.
func TestColours_HaveContrastInBothSchemes(t *testing.T) {
	const least = 4.5
	sheet, err := os.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string][2]string{}
	for _, m := range regexp.MustCompile(`(?m)^  --([a-z]+): `+pair.String()).FindAllStringSubmatch(string(sheet), -1) {
		named[m[1]] = [2]string{m[2], m[3]}
	}
	grounds := map[string][2]string{}
	for _, name := range []string{"ground", "panel", "raised"} {
		grounds[name] = named[name]
	}
	for i, m := range regexp.MustCompile(`(?m)(?:^|[{;] )background: `+pair.String()).FindAllStringSubmatch(string(sheet), -1) {
		grounds[fmt.Sprintf("the background %d", i)] = [2]string{m[1], m[2]}
	}
	if len(grounds) < 6 {
		t.Fatalf("only %d grounds found", len(grounds))
	}
	for scheme, name := range []string{"light", "dark"} {
		check := func(text, ground string, a, b [2]string) {
			if ratio := contrast(t, a[scheme], b[scheme]); ratio < least {
				t.Errorf("%s: %s on %s has %.2f to 1", name, text, ground, ratio)
			}
		}
		for _, text := range []string{"text", "muted", "link", "running", "starting", "degraded", "error", "stopped", "unknown"} {
			for ground, colour := range grounds {
				check(text, ground, named[text], colour)
			}
		}
		check("the main button", "text", named["ground"], named["text"])
		banner := regexp.MustCompile(`\.banner \{ background: var\(--error\); color: ` + pair.String()).FindStringSubmatch(string(sheet))
		check("the banner", "error", [2]string{banner[1], banner[2]}, named["error"])
	}
}

// contrast is the ratio of two colours (WCAG 2.2).
func contrast(t *testing.T, a, b string) float64 {
	light, dark := luminance(t, a), luminance(t, b)
	return (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	if len(colour) != len("#rrggbb") {
		t.Fatalf("no colour: %q", colour)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
