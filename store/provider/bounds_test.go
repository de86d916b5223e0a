package provider_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

func TestStatus_Bounded(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	const year = 365 * 24 * time.Hour
	in := func(d time.Duration) provider.Time { return provider.Time{Time: now.Add(d)} }
	reported := func(at, retry provider.Time) *provider.Reported {
		return &provider.Reported{At: at, RetryAt: retry, Reason: provider.RateLimited}
	}
	for name, c := range map[string]struct{ row, want provider.Status }{
		"TrueNow": {
			provider.Status{CheckedAt: in(-time.Minute), Since: in(-year), LastOKAt: in(-time.Hour), RetryAt: in(time.Hour)},
			provider.Status{CheckedAt: in(-time.Minute), Since: in(-year), LastOKAt: in(-time.Hour), RetryAt: in(time.Hour)},
		},
		"Nothing": {provider.Status{}, provider.Status{}},
		"TheClockWasTenYearsAhead": {
			provider.Status{CheckedAt: in(10 * year), Since: in(9 * year), LastOKAt: in(8 * year), RetryAt: in(10*year + time.Minute)},
			provider.Status{CheckedAt: in(0), Since: in(0), LastOKAt: in(0), RetryAt: in(time.Minute)},
		},
		"RetryLongerThanAnybodyMayAsk": {
			provider.Status{CheckedAt: in(-time.Hour), RetryAt: in(10 * year)},
			provider.Status{CheckedAt: in(-time.Hour), RetryAt: in(24 * time.Hour)},
		},
		"RetryOfARowThatWasNeverChecked": {provider.Status{RetryAt: in(year)}, provider.Status{RetryAt: in(24 * time.Hour)}},
		"RetryThatHadPassedWhenItWasChecked": {
			provider.Status{CheckedAt: in(year), RetryAt: in(year - time.Hour)},
			provider.Status{CheckedAt: in(0), RetryAt: in(0)},
		},
		"RetryGoneBy": {
			provider.Status{CheckedAt: in(-year), RetryAt: in(-year + time.Minute)},
			provider.Status{CheckedAt: in(-year), RetryAt: in(-year + time.Minute)},
		},
		"Reported": {
			provider.Status{CheckedAt: in(-time.Hour), RetryAt: in(10*year + time.Minute), Reported: reported(in(10*year), in(10*year+time.Minute))},
			provider.Status{CheckedAt: in(-time.Hour), RetryAt: in(time.Minute), Reported: reported(in(0), in(time.Minute))},
		},
		"ReportedBesideALaterOneOfItsOwn": {
			provider.Status{CheckedAt: in(year), RetryAt: in(year + time.Hour), Reported: reported(in(year), in(year+time.Minute))},
			provider.Status{CheckedAt: in(0), RetryAt: in(time.Hour), Reported: reported(in(0), in(time.Minute))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			was := c.row.Reported
			var before provider.Reported
			if was != nil {
				before = *was
			}
			if diff := cmp.Diff(c.want, c.row.Bounded(now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if was != nil && *was != before {
				t.Error("what it was given is changed")
			}
		})
	}
}
