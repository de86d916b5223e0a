package judge

import "github.com/providerd/providerd/store/provider"

// A Pause is a person who stops and resumes the probing, as a witness.
type Pause struct {
	Paused  bool
	resumed bool // until somebody looked
}

// take takes in that the probing was stopped or resumed.
func (Pause) take(paused bool) Pause {
	if paused {
		return Pause{Paused: true}
	}
	return Pause{resumed: true}
}

// looked takes in that there is something newer to say.
func (w Pause) looked() Pause {
	w.resumed = false
	return w
}

// unseen says that probing has resumed, and that there was no probe yet.
func (w Pause) unseen() claim {
	if !w.resumed {
		return claim{}
	}
	return claim{provider.NotChecked, "probing has resumed"}
}

// stopped says that it is paused.
func (w Pause) stopped() claim {
	if !w.Paused {
		return claim{}
	}
	return claim{provider.Paused, "probing is paused"}
}
