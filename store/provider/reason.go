package provider

import (
	"cmp"
	"strings"
)

// A Reason says why a provider is in its state. The set is closed: a program may
// switch over it. docs/reasons.md explains each.
type Reason string

const (
	NotChecked          Reason = "not_checked"
	Offline             Reason = "offline"
	Paused              Reason = "paused"
	NoCredentials       Reason = "no_credentials"
	ConnectionRefused   Reason = "connection_refused"
	DNSFailure          Reason = "dns_failure"
	NetworkUnreachable  Reason = "network_unreachable"
	ConnectTimeout      Reason = "connect_timeout"
	Hung                Reason = "hung"
	ConnectionReset     Reason = "connection_reset"
	TLSFailure          Reason = "tls_failure"
	OK                  Reason = "ok"
	WrongService        Reason = "wrong_service"
	BadResponse         Reason = "bad_response"
	Loading             Reason = "loading"
	ShuttingDown        Reason = "shutting_down"
	Unauthorized        Reason = "unauthorized"
	KeyWithheld         Reason = "key_withheld"
	Forbidden           Reason = "forbidden"
	ScopeLimited        Reason = "scope_limited"
	QuotaExhausted      Reason = "quota_exhausted"
	RateLimited         Reason = "rate_limited"
	Overloaded          Reason = "overloaded"
	ServerError         Reason = "server_error"
	EngineDead          Reason = "engine_dead"
	NoModels            Reason = "no_models"
	ModelMissing        Reason = "model_missing"
	Slow                Reason = "slow"
	VendorIncident      Reason = "vendor_incident"
	CertificateExpiring Reason = "certificate_expiring"
	NotFound            Reason = "not_found"
	NotRunning          Reason = "not_running"
	UnitFailed          Reason = "unit_failed"
	CheckWarning        Reason = "check_warning"
	CheckCritical       Reason = "check_critical"
	CheckUnknown        Reason = "check_unknown"
	ProbeFailed         Reason = "probe_failed"
)

// hints holds the one thing to do next for each reason; {id}, {endpoint} and
// {key_env} stand for the provider's own. A reason that needs nothing done has no
// hint.
var hints = map[Reason]string{
	NotChecked:          "wait for the first check, or: providerctl refresh {id} --wait",
	Offline:             "this machine has no network: check it, then: providerctl refresh {id}",
	Paused:              "probing is paused: providerctl resume {id}",
	NoCredentials:       "start providerd with {key_env} set, or name an api_key_file in its configuration, then: providerctl reload",
	ConnectionRefused:   "nothing listens at {endpoint}: start the server, or correct base_url and run: providerctl reload",
	DNSFailure:          "check the host name in {endpoint} and this machine's resolver",
	NetworkUnreachable:  "check this machine's route to {endpoint}",
	ConnectTimeout:      "check the host, its firewall and the port in {endpoint}",
	Hung:                "the server accepts connections and does not answer: look at its log, or restart it",
	ConnectionReset:     "the server closes connections unanswered: look at its log, or restart it",
	TLSFailure:          "check the certificate and whether {endpoint} should be http or https; see: providerctl diagnose {id}",
	WrongService:        "another program answers at {endpoint}: correct kind or base_url, then: providerctl reload",
	BadResponse:         "the answer is not what this kind promises; see: providerctl diagnose {id}",
	Loading:             "wait for it: providerctl wait {id} --for RUNNING",
	ShuttingDown:        "wait for it to stop, then start it again",
	KeyWithheld:         `if you trust it with the key, write base_url = "{endpoint}" into the [[provider]] of {id} in the configuration, then: providerctl reload`,
	Unauthorized:        "the key is missing or was rejected: replace it, then: providerctl reload",
	Forbidden:           "the server refuses this caller: check the key's permissions; see: providerctl diagnose {id}",
	ScopeLimited:        "nothing to do: the key works, it only may not list models",
	QuotaExhausted:      "raise the limit or add credit in the vendor's console",
	RateLimited:         "send nothing until it may be asked again; see retry_at in: providerctl status {id} -o json",
	Overloaded:          "the vendor is over capacity: back off, or use another provider",
	ServerError:         "the server fails: look at its log or the vendor's status page",
	EngineDead:          "the engine behind the server has died: look at the server's log, then restart it",
	NoModels:            "it has no model to serve: load or pull one",
	ModelMissing:        "pull the missing model, or correct models in the configuration",
	Slow:                "it answers slowly: look at what it is doing, or raise slow_after",
	VendorIncident:      "the vendor reports an outage: wait, or use another provider; see: providerctl diagnose {id}",
	CertificateExpiring: "renew the certificate at {endpoint}, and see that whatever renews it runs",
	NotFound:            "there is no such thing to ask for: correct the configuration of {id}, then: providerctl reload",
	NotRunning:          "start it, then: providerctl wait {id} --for RUNNING",
	UnitFailed:          "see why with systemctl status and journalctl, then start it again: {endpoint}",
	CheckWarning:        "look at what the check says; see: providerctl diagnose {id}",
	CheckCritical:       "look at what the check says; see: providerctl diagnose {id}",
	CheckUnknown:        "the check could not tell; see: providerctl diagnose {id}",
	ProbeFailed:         "the check itself failed; see: providerctl logs",
}

type kindReason struct {
	kind   string
	reason Reason
}

// kindHints holds what can be said better when the kind is known.
var kindHints = map[kindReason]string{
	{"ollama", ConnectionRefused}:   "start it: ollama serve",
	{"ollama", NoModels}:            "pull a model: ollama pull qwen3:8b",
	{"ollama", ModelMissing}:        "pull the missing model with ollama pull, or correct models in the configuration",
	{"ollama", Forbidden}:           "Ollama refused the Host header: set OLLAMA_HOST where Ollama runs, or use the address it listens on",
	{"lmstudio", ConnectionRefused}: "start it: lms server start",
	{"lmstudio", NoModels}:          "get a model: lms get",
	{"llamacpp", ConnectionRefused}: "start it: llama-server -m MODEL.gguf",

	{"vllm", ConnectionRefused}: "start it, or wait while it loads: vllm serve MODEL",
	{"vllm", Hung}:              "vLLM makes no progress: look at its log, then restart it",
	{"vllm", ModelMissing}:      "start it with the missing model, vllm serve MODEL, or correct models in the configuration",

	{"sglang", ConnectionRefused}: "start it, or wait while it loads: python3 -m sglang.launch_server --model-path MODEL",

	{"tgi", ConnectionRefused}: "start it, or wait while it loads: text-generation-launcher --model-id MODEL",

	{"localai", ConnectionRefused}: "start it: local-ai run",
	{"localai", NoModels}:          "get a model: local-ai models install qwen3-8b",

	{"koboldcpp", ConnectionRefused}: "start it: koboldcpp --model MODEL.gguf; its port opens when the model is loaded",
	{"koboldcpp", NoModels}:          "start it with a model: koboldcpp --model MODEL.gguf",
	{"koboldcpp", Unauthorized}:      "the key is missing or was rejected: replace it by what koboldcpp's --password says, then: providerctl reload",

	{"textgen", ConnectionRefused}: "start it: python server.py --api",
	{"textgen", NoModels}:          "load a model in its page, or start it with --model",
	{"textgen", Forbidden}:         "start it with --listen, or use localhost or 127.0.0.1 in base_url",

	{"jan", ConnectionRefused}: "start it: Jan, Settings, Local API Server, Start Server",
	{"jan", NoModels}:          "start a model in Jan",
	{"jan", Unauthorized}:      "the key is missing or was rejected: replace it by that of Jan's Settings, Local API Server, then: providerctl reload",
	{"jan", Forbidden}:         "add the host to Trusted Hosts in Jan's Settings, Local API Server, or use 127.0.0.1 in base_url",

	{"litellm", ConnectionRefused}: "start it: litellm --config config.yaml",
	{"litellm", NoModels}:          "add a model to model_list in LiteLLM's config.yaml",
	{"litellm", ServerError}:       "look at LiteLLM's log and at its database",

	{"nim", ConnectionRefused}: "start it: docker run --gpus all -e NGC_API_KEY -p 8000:8000 IMAGE",

	{"triton", ConnectionRefused}: "start it, or wait while it loads: tritonserver --model-repository FOLDER",
	{"triton", NoModels}:          "load a model: curl -X POST {endpoint}/v2/repository/models/MODEL/load",
	{"triton", ModelMissing}:      "load the missing model: curl -X POST {endpoint}/v2/repository/models/MODEL/load",

	{"fireworks", Forbidden}: "a suspended account comes back when its invoices are paid, or its budget is raised: fireworks.ai/billing",

	{"http", BadResponse}:     "the answer is not what is expected there: look at the server, or correct the configuration of {id}; see: providerctl diagnose {id}",
	{"tls", TLSFailure}:       "renew or correct the certificate at {endpoint}; see: providerctl diagnose {id}",
	{"dns", DNSFailure}:       "look the name up at the server itself, and correct the zone or base_url",
	{"dns", Forbidden}:        "the server does not answer this machine, or not about this name: see its access list",
	{"grpc", NotFound}:        "the server has no such service: correct what follows the port in base_url, then: providerctl reload",
	{"exec", NotFound}:        "there is no such program: install it, or correct command, then: providerctl reload",
	{"exec", Forbidden}:       "providerd may not run this program: chmod +x it, and see that its folders can be entered",
	{"systemd", NotFound}:     "there is no such unit: install it, or correct unit and bus, then: providerctl reload",
	{"systemd", NotRunning}:   "start it with systemctl start: {endpoint}",
	{"systemd", ServerError}:  "it fails and is started again and again: see why with systemctl status and journalctl",
	{"systemd", Forbidden}:    "providerd may not ask this bus: another user's services are asked by that user's own providerd",
	{"systemd", CheckUnknown}: "systemd does not answer over D-Bus: is this machine run by systemd, and bus right?",
}

// A Subject is the provider that a hint is about.
type Subject struct {
	Kind, ID, Endpoint string
	KeyEnv             string // the variable that lacks its key; empty when that is not known
}

// Hint returns what a person should do next about a provider in that situation,
// with what is its own filled in; empty when there is nothing to do.
func Hint(reason Reason, about Subject) string {
	hint, ok := kindHints[kindReason{about.Kind, reason}]
	if !ok {
		hint = hints[reason]
	}
	return strings.NewReplacer(
		"{id}", about.ID,
		"{endpoint}", about.Endpoint,
		"{key_env}", cmp.Or(about.KeyEnv, "its API key"),
	).Replace(hint)
}

// NeedsPerson reports whether the situation lasts until somebody acts, so that
// waiting for it to pass is in vain.
func (r Reason) NeedsPerson() bool {
	switch r {
	case NoCredentials, TLSFailure, WrongService, BadResponse, Unauthorized, KeyWithheld,
		Forbidden, QuotaExhausted, NoModels, ModelMissing, CertificateExpiring, NotFound, UnitFailed, Paused:
		return true
	}
	return false
}
