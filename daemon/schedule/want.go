package schedule

// A want is what is wanted of the next probe. All requests before it begins share it.
type want struct {
	owed  bool // somebody wants a probe that begins from now on
	facts bool // it asks for everything
	force bool // although the provider asked us to wait
	fresh bool // on a new connection
}

// and combines two wants.
func (w want) and(other want) want {
	return want{
		owed:  w.owed || other.owed,
		facts: w.facts || other.facts,
		force: w.force || other.force,
		fresh: w.fresh || other.fresh,
	}
}
