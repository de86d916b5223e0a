package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
)

// A ResolveError means that a name has no address.
type ResolveError struct {
	Host string
	Err  error
}

func (e *ResolveError) Error() string { return fmt.Sprintf("resolve %s: %v", e.Host, e.Err) }
func (e *ResolveError) Unwrap() error { return e.Err }

// A DialError means that no address accepted a connection; it has one error for each.
type DialError struct{ Errs []error }

func (e *DialError) Error() string   { return errors.Join(e.Errs...).Error() }
func (e *DialError) Unwrap() []error { return e.Errs }

// A HandshakeError is a failed TLS handshake.
type HandshakeError struct{ Err error }

func (e *HandshakeError) Error() string { return "TLS handshake: " + e.Err.Error() }
func (e *HandshakeError) Unwrap() error { return e.Err }

// A ProxyError is a proxy's refusal to connect.
type ProxyError struct{ Host, Status string }

func (e *ProxyError) Error() string { return fmt.Sprintf("the proxy %s answered %s", e.Host, e.Status) }

var (
	// ErrHeaderSize means that an answer's headers are larger than [MaxHeader].
	ErrHeaderSize = errors.New("the answer's headers are too large")
	// ErrPanic means that a dial panicked.
	ErrPanic = errors.New("panic")
)

// DialText says what was dialled and what the system said.
func DialText(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return err.Error()
	}
	return op.Addr.String() + ": " + systemText(err)
}

// systemText says what the system said of a dial, without the address and the
// name of the system call.
func systemText(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return err.Error()
	}
	if IsTimeout(err) {
		return "no connection in time"
	}
	var call *os.SyscallError
	if errors.As(op.Err, &call) {
		return call.Err.Error()
	}
	return op.Err.Error()
}

// IsAlert reports whether the peer ended TLS with an alert. In TLS 1.3 that comes after the
// handshake if a client certificate is missing. crypto/tls has no type for it, only the
// name of the operation.
func IsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// Alert is the number of the alert with which the peer ended TLS; ok is false if it did
// not. The type in crypto/tls is not exported.
func Alert(err error) (code uint8, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint()), true
	}
	return 0, false
}

// IsTimeout reports whether time ran out: ours, or the system's.
func IsTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		IsAny(err, TimedOut) || errors.As(err, &timeout) && timeout.Timeout()
}

// IsFull reports whether the queue of a listener on this machine is full, so that a
// connection was neither accepted nor refused. For a Unix socket the system says so at
// once.
func IsFull(err error) bool {
	var op *net.OpError
	if !IsTimeout(err) || !errors.As(err, &op) {
		return false
	}
	tcp, ok := op.Addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback() || op.Net == "unix"
}

// IsClosed reports whether the peer ended the connection.
func IsClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		IsAny(err, Reset)
}

// IsSocketDenied reports whether we may not use a Unix socket's file. For an address the
// same errors come from a local firewall.
func IsSocketDenied(err error) bool {
	var op *net.OpError
	return IsAny(err, Denied) && errors.As(err, &op) && op.Net == "unix"
}

// IsAny reports whether err is one of the targets, such as [Refused].
func IsAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}
