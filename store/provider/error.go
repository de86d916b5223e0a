package provider

import (
	"errors"
	"fmt"
	"sync"
)

// A Code names what went wrong between a client and the daemon. Codes are
// append-only: two programs of different versions share them.
type Code string

const (
	BadRequest        Code = "bad_request"
	UnknownRoute      Code = "unknown_route"
	UnknownProvider   Code = "unknown_provider"
	MethodNotAllowed  Code = "method_not_allowed"
	Denied            Code = "denied"
	ForeignOrigin     Code = "foreign_origin"
	TooLarge          Code = "too_large"
	TooMany           Code = "too_many"
	TimedOut          Code = "timed_out"
	EventsGone        Code = "events_gone"
	ConfigInvalid     Code = "config_invalid"
	ShuttingDownNow   Code = "shutting_down"
	StoreFailing      Code = "store_failing"
	Internal          Code = "internal"
	UnknownSink       Code = "unknown_sink"
	UnknownMessage    Code = "unknown_message"
	Undelivered       Code = "undelivered"        // the receiver of a notification did not accept it
	NoSlots           Code = "no_slots"           // the provider has none in the configuration
	Usage             Code = "usage"              // client only
	DaemonUnreachable Code = "daemon_unreachable" // client only
)

// Exit codes of providerctl.
const (
	ExitOK          = 0
	ExitNo          = 1 // the answer is no, or the command failed
	ExitUsage       = 2
	ExitUnreachable = 3
	ExitDenied      = 4
	ExitUnknown     = 5 // no such provider
	ExitTimedOut    = 6
)

// codes is the one table that server and client share. It is made when it is first needed,
// which is never in a command that succeeds.
var codes = sync.OnceValue(func() map[Code]struct{ http, exit int } {
	return map[Code]struct{ http, exit int }{
		BadRequest:        {400, ExitUsage},
		UnknownRoute:      {404, ExitNo},
		UnknownProvider:   {404, ExitUnknown},
		MethodNotAllowed:  {405, ExitNo},
		Denied:            {403, ExitDenied},
		ForeignOrigin:     {403, ExitDenied},
		TooLarge:          {413, ExitUsage},
		TooMany:           {503, ExitNo},
		TimedOut:          {504, ExitTimedOut},
		EventsGone:        {410, ExitNo},
		ConfigInvalid:     {422, ExitNo},
		ShuttingDownNow:   {503, ExitUnreachable},
		StoreFailing:      {503, ExitNo},
		Internal:          {500, ExitNo},
		UnknownSink:       {404, ExitUnknown},
		UnknownMessage:    {404, ExitUnknown},
		Undelivered:       {502, ExitNo},
		NoSlots:           {409, ExitNo},
		Usage:             {400, ExitUsage},
		DaemonUnreachable: {503, ExitUnreachable},
	}
})

// HTTPStatus is the status of a reply with this code; 500 for a code that this version
// does not know.
func (c Code) HTTPStatus() int {
	if row, ok := codes()[c]; ok {
		return row.http
	}
	return 500
}

// Error is what the daemon answers, and what the client returns, if something cannot be
// done: what went wrong, and what to type next.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an [Error]; the hint can be empty.
func Errorf(code Code, hint, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// A Hinted is an error within one program, which never crosses the wire: what is in the
// way, and what to type next.
type Hinted struct{ message, hint string }

// WithHint makes a [Hinted].
func WithHint(message, hint string) *Hinted { return &Hinted{message, hint} }

func (e *Hinted) Error() string { return e.message }

// Hint is what to type next.
func (e *Hinted) Hint() string { return e.hint }

// HintOf returns the hint of err, or of the first error it wraps that has one; empty if
// none has.
func HintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// ExitCode is providerctl's exit code for err: 0 for nil, 1 for an error that is not an
// [Error] or whose code this version does not know.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	var e *Error
	if errors.As(err, &e) {
		if row, ok := codes()[e.Code]; ok {
			return row.exit
		}
	}
	return ExitNo
}
