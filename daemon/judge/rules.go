package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A rule is what one situation means for a provider's state.
type rule struct {
	state    provider.State // empty: the state stays as it is
	definite bool           // one observation is enough
}

// rules has a row for every situation that a probe can report or that the judge
// finds in its facts. Definite evidence changes the state at once; the rest has
// to be seen Fall times in a row, for a server may stall or reset one connection
// without being broken.
var rules = map[provider.Reason]rule{
	provider.OK:                  {provider.StateRunning, true},
	provider.ScopeLimited:        {provider.StateRunning, true},
	provider.NoCredentials:       {provider.StateStopped, true},
	provider.ConnectionRefused:   {provider.StateStopped, false}, // but see definite
	provider.DNSFailure:          {provider.StateError, false},
	provider.NetworkUnreachable:  {provider.StateError, false},
	provider.ConnectTimeout:      {provider.StateError, false},
	provider.Hung:                {provider.StateDegraded, false},
	provider.ConnectionReset:     {provider.StateDegraded, false},
	provider.TLSFailure:          {provider.StateError, true},
	provider.WrongService:        {provider.StateError, true},
	provider.BadResponse:         {provider.StateError, false},
	provider.Loading:             {provider.StateStarting, true},
	provider.ShuttingDown:        {provider.StateDegraded, true},
	provider.Unauthorized:        {provider.StateError, true},
	provider.KeyWithheld:         {provider.StateError, true},
	provider.Forbidden:           {provider.StateError, true},
	provider.QuotaExhausted:      {provider.StateError, true},
	provider.RateLimited:         {provider.StateDegraded, true},
	provider.Overloaded:          {provider.StateDegraded, false},
	provider.ServerError:         {provider.StateDegraded, false},
	provider.EngineDead:          {provider.StateError, false},
	provider.CertificateExpiring: {provider.StateDegraded, true},
	provider.NotFound:            {provider.StateError, true},
	provider.NotRunning:          {provider.StateStopped, true},
	provider.UnitFailed:          {provider.StateError, true},
	provider.CheckWarning:        {provider.StateDegraded, false}, // as Nagios: soft until it was seen again
	provider.CheckCritical:       {provider.StateError, false},
	provider.CheckUnknown:        {provider.StateUnknown, false},
	provider.ProbeFailed:         {"", true},

	provider.NoModels:       {provider.StateDegraded, true},
	provider.ModelMissing:   {provider.StateDegraded, true},
	provider.VendorIncident: {provider.StateDegraded, true}, // by the vendor's feed, of one that answers
	provider.Slow:           {provider.StateDegraded, true}, // reported only after Fall slow answers
	provider.Offline:        {provider.StateUnknown, true},
}

// healthy reports whether the provider gave the answer that its kind promises.
func healthy(r provider.Reason) bool {
	return r == provider.OK || r == provider.ScopeLimited
}

// definite reports whether one observation is enough. A refused connection is
// proof on this machine, where nothing but the server answers for the port; across
// a network a firewall may refuse in its place. A server that says when to come
// back has said enough: it must not be asked before, to make sure.
func definite(reason provider.Reason, retryAt time.Time, p *config.Provider) bool {
	if reason == provider.ConnectionRefused {
		return p.OnThisMachine()
	}
	return rules[reason].definite || !retryAt.IsZero()
}
