package provider

// A Client is how programs reach a provider and control its server. Fields that do not apply are left out: a
// socket has no URL for clients.
type Client struct {
	OpenAIBaseURL string `json:"openai_base_url,omitempty"` // where OpenAI's API is, for OPENAI_BASE_URL
	Env           string `json:"env,omitempty"`             // the vendor's own variable for the endpoint
	KeyEnv        string `json:"key_env,omitempty"`         // the variable to look for the key in: the configured one, or the vendor's
	// KeyEnvGuessed means that the address is a gateway's and its key is in a file, so that
	// KeyEnv, the vendor's variable, may hold the vendor's key instead.
	KeyEnvGuessed bool `json:"key_env_guessed,omitempty"`
	KeyInFile     bool `json:"key_in_file,omitempty"` // the daemon's key is in a file, which other users may not be allowed to read
	// Needs is what else a program needs, of [NeedsPassword] and [NeedsCertificate]. The
	// daemon has them in its configuration, and gives them to nobody.
	Needs []string `json:"needs,omitempty"`
	Unit  string   `json:"unit,omitempty"` // the unit of systemd that runs its server, for providerctl start
	Bus   string   `json:"bus,omitempty"`  // whose systemd has the unit: "system" or "user"
}

// What a [Client] can need.
const (
	NeedsPassword    = "password"           // a user name and a password, within the address
	NeedsCertificate = "client_certificate" // one that the server may ask for
)
