package config

// A Fleet is what [fleet] says: how this machine shares what it knows with others, through etcd.
type Fleet struct {
	Name      string
	Endpoints []string // https://host:port, or http:// on this machine
	// CAFile, CertFile and KeyFile are for TLS, and are read again when they are used; empty:
	// not given.
	CAFile, CertFile, KeyFile string
	FleetKeyFile              string
	Key                       []byte // of the fleet: 32 bytes; nil: see Faults
	Member                    string // this machine
	Trust                     FleetTrust
	// Faults say why the fleet cannot be used; none: it can.
	Faults []string
}

// A FleetTrust is how far other members are believed.
type FleetTrust string

const (
	Verify FleetTrust = "verify" // with own checks
	Follow FleetTrust = "follow" // without
)
