package provider

// A Client tells programs how to reach a provider. Fields that do not apply are left
// out: a socket has no URL that a client takes.
type Client struct {
	OpenAIBaseURL string `json:"openai_base_url,omitempty"` // where OpenAI's API is, for OPENAI_BASE_URL
	Env           string `json:"env,omitempty"`             // the vendor's own variable for the endpoint
	KeyEnv        string `json:"key_env,omitempty"`         // the variable to look for the key in: the one that was configured, or the vendor's
}
