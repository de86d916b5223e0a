package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/underway"
)

// TLSFiles are the files of certificates that handshakes need, each read once for all
// providers that name it. A file that no provider needs any more is dropped. The zero value
// is ready; its methods may be called by several goroutines.
type TLSFiles struct {
	mu    sync.Mutex
	pools map[string]weak.Pointer[fileOf[x509.CertPool]]
	pairs map[[2]string]weak.Pointer[fileOf[tls.Certificate]]
}

// Credentials are one provider's own authorities and client certificate.
type Credentials struct {
	settings *config.TLS
	roots    *fileOf[x509.CertPool]   // nil: this machine's
	own      *fileOf[tls.Certificate] // nil: none
	reads    underway.Work
}

// Of returns the credentials that settings name, not read yet; nil for nil. also tracks
// reads, which may hang. A nil TLSFiles shares nothing.
func (f *TLSFiles) Of(s *config.TLS, also *underway.Work) *Credentials {
	if s == nil {
		return nil
	}
	if f == nil {
		f = new(TLSFiles)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &Credentials{settings: s, reads: underway.Work{Most: 1, Also: also}}
	if s.CAFile != "" {
		c.roots = shared(&f.pools, s.CAFile, func() *fileOf[x509.CertPool] {
			return &fileOf[x509.CertPool]{paths: []string{s.CAFile}, read: s.Authorities}
		})
	}
	if s.CertFile != "" {
		c.own = shared(&f.pairs, [2]string{s.CertFile, s.KeyFile}, func() *fileOf[tls.Certificate] {
			return &fileOf[tls.Certificate]{paths: []string{s.CertFile, s.KeyFile}, read: s.ClientCertificate}
		})
	}
	return c
}

// shared is the file that others already use, or a new one.
func shared[K comparable, T any](all *map[K]weak.Pointer[fileOf[T]], key K, made func() *fileOf[T]) *fileOf[T] {
	if f := (*all)[key].Value(); f != nil {
		return f
	}
	if *all == nil {
		*all = make(map[K]weak.Pointer[fileOf[T]])
	}
	for k, other := range *all {
		if other.Value() == nil {
			delete(*all, k)
		}
	}
	f := made()
	(*all)[key] = weak.Make(f)
	return f
}

// An offer is what one handshake uses: whom to trust, and which certificate to send.
type offer struct {
	roots    *x509.CertPool   // nil: this machine's
	own      *tls.Certificate // nil: none
	outdated error            // why it is older than the files
}

// A FileError is a certificate file that cannot be used, and never could.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// offer reads what has changed since last time. Files that are missing, or do not match
// while they are being replaced, change nothing.
func (c *Credentials) offer(ctx context.Context) (offer, error) {
	waits, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok { // the rest is for the handshake
		waits, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
	}
	defer cancel()
	err := c.reads.Await(waits, "reading "+c.what(), func() error {
		return orFirst(c.roots.refresh(), c.own.refresh())
	})
	if ctx.Err() != nil {
		return offer{}, context.Cause(ctx)
	}
	o := offer{outdated: err}
	if c.roots != nil {
		if o.roots = c.roots.value.Load(); o.roots == nil {
			return offer{}, &FileError{err}
		}
	}
	if c.own != nil {
		if o.own = c.own.value.Load(); o.own == nil {
			return offer{}, &FileError{err}
		}
	}
	return o, nil
}

// what names a file for people.
func (c *Credentials) what() string {
	if c.settings.CAFile != "" {
		return c.settings.CAFile
	}
	return c.settings.CertFile
}

func orFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A fileOf is what was read from files, until they change.
type fileOf[T any] struct {
	paths []string
	read  func() (*T, error)
	value atomic.Pointer[T] // nil: nothing usable

	mu     sync.Mutex // held during reads
	seen   []fs.FileInfo
	at     time.Time // when they were last seen
	failed error     // the result of reading them
}

// refresh reads the files if they have changed since they were last read.
func (f *fileOf[T]) refresh() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	seen := make([]fs.FileInfo, len(f.paths))
	for i, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			f.seen = nil
			return err
		}
		seen[i] = info
	}
	if f.seen != nil && f.isAsSeen(seen) {
		return f.failed
	}
	f.seen, f.at = seen, now
	value, err := f.read()
	if f.failed = err; err == nil {
		f.value.Store(value)
	}
	return err
}

// coarsest is how old a file's time must be to show every later change: the clocks of file
// systems are coarse.
const coarsest = 2 * time.Second

func (f *fileOf[T]) isAsSeen(now []fs.FileInfo) bool {
	for i, was := range f.seen {
		is := now[i]
		if !os.SameFile(was, is) || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime()) || f.at.Sub(was.ModTime()) < coarsest {
			return false
		}
	}
	return true
}
