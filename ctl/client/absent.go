package client

import "errors"

// MayCome reports whether a call failed because no daemon is there and one may yet
// come: it is about to be started, or restarts, or listens and its socket's file is gone.
// It is not so where something else listens, where the path can be no socket's, or where
// the socket may not be opened.
func MayCome(err error) bool {
	var a *absent
	return errors.As(err, &a)
}

// An absent error says that no daemon is there, and that one may come.
type absent struct{ error }

func (a *absent) Unwrap() error { return a.error }
