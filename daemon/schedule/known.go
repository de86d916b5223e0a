package schedule

import (
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// known is what is known of a provider: a [judge.Record] whose row is shared with the store.
// To change it, take the record out and put it back with [Scheduler.put].
type known struct {
	row *provider.Status // never nil; nothing writes to it
	judge.Basis
}

// record returns a copy.
func (k *known) record() judge.Record { return judge.Record{Status: *k.row, Basis: k.Basis} }

// keep stores a record. The row is the one that the store made of it; nil: there is none.
func (k *known) keep(rec *judge.Record, row *store.Row) {
	k.Basis = rec.Basis
	if row != nil {
		k.row = &row.Status
		return
	}
	own := rec.Status
	k.row = &own
}
