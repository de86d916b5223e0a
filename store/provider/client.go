package provider

// A Client tells programs how to reach a provider. Fields that do not apply are left
// out: a socket has no URL that a client takes.
type Client struct {
	OpenAIBaseURL string `json:"openai_base_url,omitempty"` // where OpenAI's API is, for OPENAI_BASE_URL
	Env           string `json:"env,omitempty"`             // the vendor's own variable for the endpoint
	KeyEnv        string `json:"key_env,omitempty"`         // the variable to look for the key in: the one that was configured, or the vendor's
	// KeyEnvGuessed: the address is a gateway's and its key in a file, so that KeyEnv, the
	// vendor's, may hold the vendor's key.
	KeyEnvGuessed bool `json:"key_env_guessed,omitempty"`
	// Needs is what a program must bring that no variable holds, of [NeedsPassword] and
	// [NeedsCertificate]. The daemon has it in its configuration and tells it to nobody.
	Needs []string `json:"needs,omitempty"`
}

// What a [Client] may need.
const (
	NeedsPassword    = "password"           // a user name and a password, within the address
	NeedsCertificate = "client_certificate" // one that the server may ask for
)
