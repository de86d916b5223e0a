package client

import "errors"

// MayCome reports whether a call failed because there is no daemon yet, but there may be
// one: it is about to be started, is restarting, or listens and the file of its socket is
// gone. It is false if something else listens, if there can be no socket at the path, or
// if the caller may not open the socket.
func MayCome(err error) bool {
	var a *absent
	return errors.As(err, &a)
}

// An absent error means that there is no daemon, but that one may come.
type absent struct{ error }

func (a *absent) Unwrap() error { return a.error }
