package ctl

import (
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// feedLines are what was last read from the vendor's own status feed, as names and values.
func feedLines(f *provider.FeedStep, now time.Time) [][2]string {
	if f == nil {
		return nil
	}
	answer := "not polled yet"
	if !f.PolledAt.IsZero() {
		answer = "none"
		if f.Status != 0 {
			answer = strconv.Itoa(f.Status)
		}
		answer += ", " + ago(f.PolledAt, now) + " (" + latency(f.TookMS) + ")"
	}
	if f.Error != "" {
		answer += ": " + f.Error
		if !f.ReadAt.IsZero() {
			answer += "; last read " + ago(f.ReadAt, now)
		}
	}
	lines := [][2]string{{"feed", provider.Printable(f.URL + " (" + f.Format + ")")}, {"  answer", provider.Printable(answer)}}
	for _, c := range f.Components {
		lines = append(lines, [2]string{"  says", provider.Printable(c.Name + ": " + c.Word + " → " + string(c.Impact))})
	}
	if len(f.Missing) > 0 {
		lines = append(lines, [2]string{"  lacks", provider.Printable(strings.Join(f.Missing, ", "))})
	}
	for _, name := range f.Unassigned {
		lines = append(lines, [2]string{"  other", provider.Printable(name + " (of no component)")})
	}
	return append(lines, [2]string{"  impact", provider.Printable(string(f.Impact))})
}

// incidentCell is what the vendor reports, in one line.
func incidentCell(i *provider.Incident, now time.Time) string {
	if i == nil {
		return unknown
	}
	text := string(i.Impact) + ": " + i.Name
	if !i.Since.IsZero() {
		text += ", since " + ago(i.Since, now)
	}
	if i.URL != "" {
		text += ", " + i.URL
	}
	return provider.Printable(text)
}
