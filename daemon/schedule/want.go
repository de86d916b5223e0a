package schedule

// A want is what is asked of the next probe. All who ask before it begins share it.
type want struct {
	owed  bool // somebody wants one that begins from now on
	facts bool // that asks for everything
	force bool // although the provider asked us to wait
	fresh bool // on a new connection
}

// and is what serves both.
func (w want) and(other want) want {
	return want{
		owed:  w.owed || other.owed,
		facts: w.facts || other.facts,
		force: w.force || other.force,
		fresh: w.fresh || other.fresh,
	}
}
