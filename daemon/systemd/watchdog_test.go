package systemd_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/systemd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hang waits for the end of the context, as what never ends does.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("hung: %w", ctx.Err())
}

func fine(context.Context) error { return nil }

func TestWatchdog(t *testing.T) {
	refuse := func(context.Context) error { return errors.New("no space left on device") }
	slow := func(d time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	for _, tt := range []struct {
		name         string
		read, commit func(context.Context) error
		fed          int
		changes      int
	}{
		{"AllIsWell", fine, fine, 9, 0},
		{"TheDiskRefuses", fine, refuse, 9, 0},
		{"TheDiskHangs", fine, hang, 0, 1},
		{"TheDiskIsSlow", fine, slow(6 * time.Second), 9, 0},
		{"TheSocketHangs", hang, fine, 0, 1},
		{"TheSocketIsTooSlow", slow(6 * time.Second), fine, 0, 1},
		{"TheSocketRefuses", refuse, fine, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fed, changes := 0, 0
				w := systemd.Watchdog{
					Every: 30 * time.Second, Read: tt.read, Commit: tt.commit,
					Fed:     func() error { fed++; return nil },
					Changed: func(error) { changes++ },
				}
				ctx, cancel := context.WithTimeout(t.Context(), 99*time.Second)
				defer cancel()
				w.Run(ctx)
				if fed != tt.fed || changes != tt.changes {
					t.Errorf("in 99 s: fed %d times, want %d; %d changes, want %d", fed, tt.fed, changes, tt.changes)
				}
			})
		})
	}
	t.Run("ItGetsWell", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var changes []error
			began := time.Now()
			w := systemd.Watchdog{
				Every: 30 * time.Second, Read: fine, Fed: func() error { return nil },
				Commit: func(ctx context.Context) error {
					if time.Since(began) < 25*time.Second {
						return hang(ctx)
					}
					return nil
				},
				Changed: func(err error) { changes = append(changes, err) },
			}
			ctx, cancel := context.WithTimeout(t.Context(), 99*time.Second)
			defer cancel()
			w.Run(ctx)
			if len(changes) != 2 || !errors.Is(changes[0], context.DeadlineExceeded) || changes[1] != nil {
				t.Errorf("changes: %v", changes)
			}
		})
	})
}
