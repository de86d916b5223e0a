package judge

import "github.com/providerd/providerd/store/provider"

// A Pause is a person who stops and resumes the probing, as a witness.
type Pause struct {
	Paused  bool
	resumed bool // until the first probe
}

// take records that the probing was stopped or resumed.
func (Pause) take(paused bool) Pause {
	if paused {
		return Pause{Paused: true}
	}
	return Pause{resumed: true}
}

// looked records that something newer is known.
func (w Pause) looked() Pause {
	w.resumed = false
	return w
}

// unseen says that probing has resumed but there has been no probe yet.
func (w Pause) unseen() claim {
	if !w.resumed {
		return claim{}
	}
	return claim{provider.NotChecked, "probing has resumed"}
}

// stopped says that probing is paused.
func (w Pause) stopped() claim {
	if !w.Paused {
		return claim{}
	}
	return claim{provider.Paused, "probing is paused"}
}
