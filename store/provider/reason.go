package provider

import (
	"cmp"
	"strings"
	"sync"
)

// A Reason is why a provider is in its state. The set is closed: a program can switch
// over it. docs/reasons.md explains each.
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
	Intermediary        Reason = "intermediary"
	EngineDead          Reason = "engine_dead"
	NoModels            Reason = "no_models"
	ModelMissing        Reason = "model_missing"
	Slow                Reason = "slow"
	VendorIncident      Reason = "vendor_incident"
	CertificateExpiring Reason = "certificate_expiring"
	NotFound            Reason = "not_found"
	Misconfigured       Reason = "misconfigured"
	NotRunning          Reason = "not_running"
	UnitFailed          Reason = "unit_failed"
	CheckWarning        Reason = "check_warning"
	CheckCritical       Reason = "check_critical"
	CheckUnknown        Reason = "check_unknown"
	ProbeFailed         Reason = "probe_failed"
)

// A Meaning is what a reason means: its row of docs/reasons.md.
type Meaning struct {
	Reason      Reason
	State       State  // of a provider with this reason; empty: the one it had
	Weight      Weight // how often a probe must see it before it counts
	NeedsPerson bool   // it lasts until somebody acts, so waiting is pointless
	Serves      bool   // not RUNNING, but it still answers requests
	Seen        string // what was seen, in one phrase of Markdown
	// Hint is the one thing to do next; {id}, {endpoint}, {key_env} and {model} stand for
	// the provider's own. It is empty if there is nothing to do.
	Hint string
}

// A Weight is how often a situation must be seen in succession before it changes a row; it
// is empty if no probe can see it.
type Weight string

const (
	AtOnce    Weight = "at once"    // once is proof
	AfterFall Weight = "after fall" // as often as the configured fall: a server may stall once without being broken
)

// Reasons are all of them, in the order in which docs/reasons.md explains them.
var Reasons = [...]Meaning{
	{
		Reason: OK, State: StateRunning, Weight: AtOnce,
		Seen: "the answer that this kind promises",
	},
	{
		Reason: ScopeLimited, State: StateRunning, Weight: AtOnce,
		Seen: "the key works, but may not list models",
		Hint: "nothing to do: the key works, but may not list models",
	},
	{
		Reason: NotChecked, State: StateUnknown,
		Seen: "no probe has finished yet; after a resume, with the state from before",
		Hint: "wait for the first check, or: providerctl refresh {id} --wait",
	},
	{
		Reason: Offline, State: StateUnknown, Weight: AtOnce,
		Seen: "this host has no network, slept, or was held up, so remote providers cannot be judged",
		Hint: "this machine has no network: check it, then: providerctl refresh {id}",
	},
	{
		Reason: NoCredentials, State: StateStopped, Weight: AtOnce, NeedsPerson: true,
		Seen: "a cloud provider without a key; nothing is sent",
		Hint: "start providerd with {key_env} set, or name an api_key_file in its configuration, then: providerctl reload",
	},
	{
		Reason: ConnectionRefused, State: StateStopped, Weight: AtOnce,
		Seen: "nothing listens there",
		Hint: "nothing listens at {endpoint}: start the server, or correct base_url and run: providerctl reload",
	},
	{
		Reason: NotRunning, State: StateStopped, Weight: AtOnce,
		Seen: "systemd says that the unit does not run",
		Hint: "start it, then: providerctl wait {id} --for RUNNING",
	},
	{
		Reason: Loading, State: StateStarting, Weight: AtOnce,
		Seen: "the server says that it, or a model, is loading",
		Hint: "wait for it: providerctl wait {id} --for RUNNING",
	},
	{
		Reason: NoModels, State: StateDegraded, Weight: AtOnce, NeedsPerson: true,
		Seen: "up, but it lists no model",
		Hint: "it has no model to serve: load or pull one",
	},
	{
		Reason: ModelMissing, State: StateDegraded, Weight: AtOnce, NeedsPerson: true,
		Seen: "up, but a model that the configuration requires is not listed",
		Hint: "it does not list {model}: load or pull it, or correct models in the configuration",
	},
	{
		Reason: VendorIncident, State: StateDegraded, Weight: AtOnce, Serves: true,
		Seen: "up, but the vendor's own status feed reports an outage of it",
		Hint: "the vendor reports an outage: wait, or use another provider; see: providerctl diagnose {id}",
	},
	{
		Reason: Slow, State: StateDegraded, Weight: AtOnce, Serves: true,
		Seen: "up, but slower than `slow_after`, `fall` times in a row",
		Hint: "it answers slowly: look at what it is doing, or raise slow_after",
	},
	{
		Reason: CertificateExpiring, State: StateDegraded, Weight: AtOnce, NeedsPerson: true,
		Seen: "up, but its certificate has fewer days left than `expect_days`",
		Hint: "renew the certificate at {endpoint}, and check that its automatic renewal works",
	},
	{
		Reason: Hung, State: StateDegraded, Weight: AfterFall,
		Seen: "connected, then silence until the timeout; or, on this machine, a connection neither accepted nor refused; or an engine that makes no progress with its requests",
		Hint: "the server is there but does not answer: look at its log, or restart it",
	},
	{
		Reason: ConnectionReset, State: StateDegraded, Weight: AfterFall,
		Seen: "connected, then closed before an answer",
		Hint: "the server closes connections unanswered: look at its log, or restart it",
	},
	{
		Reason: RateLimited, State: StateDegraded, Weight: AtOnce,
		Seen: "a limit that passes with time, mostly 429; `retry_at` says until when",
		Hint: "send fewer requests, and none before retry_at, if it is given; see: providerctl status {id}",
	},
	{
		Reason: Overloaded, State: StateDegraded, Weight: AfterFall,
		Seen: "529, or a 5xx that says it is over capacity, or a 429 whose code does",
		Hint: "the vendor is over capacity: back off, or use another provider",
	},
	{
		Reason: ServerError, State: StateDegraded, Weight: AfterFall,
		Seen: "a 5xx that says nothing more",
		Hint: "the server fails: look at its log or the vendor's status page",
	},
	{
		Reason: Intermediary, State: StateDegraded, Weight: AfterFall,
		Seen: "something in front of it answered in its place: a proxy, a tunnel, a login page, a filter",
		Hint: "check what stands in front of {endpoint} and answers in its place; see: providerctl diagnose {id}",
	},
	{
		Reason: CheckWarning, State: StateDegraded, Weight: AfterFall, // as in Nagios: soft until seen again
		Seen: "a plug-in ended with 1, WARNING",
		Hint: "look at what the check says; see: providerctl diagnose {id}",
	},
	{
		Reason: ShuttingDown, State: StateDegraded, Weight: AtOnce,
		Seen: "the server says that it is stopping",
		Hint: "wait for it to stop, then start it again",
	},
	{
		Reason: EngineDead, State: StateError, Weight: AfterFall,
		Seen: "the server answers, and says that the engine behind it has died",
		Hint: "the engine behind the server has died: look at the server's log, then restart it",
	},
	{
		Reason: Unauthorized, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "401, or another 4xx (except 404) or a 5xx that says the key is missing, wrong, expired, revoked, suspended or leaked",
		Hint: "the key is missing or was rejected: replace it, then: providerctl reload",
	},
	{
		Reason: KeyWithheld, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "it asks for the key, but the user who listens there is not trusted with it: see docs/security.md",
		Hint: `if you trust it with the key, give {id} a [[provider]] with base_url = "{endpoint}" in the configuration, then: providerctl reload`,
	},
	{
		Reason: Forbidden, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "403 that says nothing about the key: the server does not allow this",
		Hint: "the server refuses this caller: check the key's permissions; see: providerctl diagnose {id}",
	},
	{
		Reason: QuotaExhausted, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "402, or another 4xx (except 404) or a 5xx about a balance, a budget, a plan or a quota that waiting does not lift",
		Hint: "raise the limit or add credit in the vendor's console",
	},
	{
		Reason: WrongService, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "another program answers at that address",
		Hint: "another program answers at {endpoint}: correct kind or base_url, then: providerctl reload",
	},
	{
		Reason: BadResponse, State: StateError, Weight: AfterFall, NeedsPerson: true,
		Seen: "an answer, but not what this kind promises",
		Hint: "the answer is not what this kind promises; see: providerctl diagnose {id}",
	},
	{
		Reason: TLSFailure, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "the certificate is not valid, the TLS handshake fails, or the server wants a client certificate",
		Hint: "check the certificate and whether {endpoint} should be http or https; see: providerctl diagnose {id}",
	},
	{
		Reason: DNSFailure, State: StateError, Weight: AfterFall,
		Seen: "the name cannot be resolved",
		Hint: "check the host name in {endpoint} and this machine's resolver",
	},
	{
		Reason: NetworkUnreachable, State: StateError, Weight: AfterFall,
		Seen: "no route",
		Hint: "check this machine's route to {endpoint}",
	},
	{
		Reason: ConnectTimeout, State: StateError, Weight: AfterFall,
		Seen: "no connection within the timeout",
		Hint: "check the host, its firewall and the port in {endpoint}",
	},
	{
		Reason: NotFound, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "what is asked for does not exist there: the unit, the program",
		Hint: "what it names does not exist: correct the configuration of {id}, then: providerctl reload",
	},
	{
		Reason: Misconfigured, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "the variable for its address contains no usable address; nothing is sent",
		Hint: "correct the variable for its address, then restart providerd",
	},
	{
		Reason: UnitFailed, State: StateError, Weight: AtOnce, NeedsPerson: true,
		Seen: "systemd says that the unit failed, is masked, or cannot be loaded",
		Hint: "see why with systemctl status and journalctl, then start it again: {endpoint}",
	},
	{
		Reason: CheckCritical, State: StateError, Weight: AfterFall,
		Seen: "a plug-in ended with 2, CRITICAL",
		Hint: "look at what the check says; see: providerctl diagnose {id}",
	},
	{
		Reason: CheckUnknown, State: StateUnknown, Weight: AfterFall,
		Seen: "a check that could not tell: a plug-in ended with 3 or in another way, or there is no systemd to ask",
		Hint: "the check could not tell; see: providerctl diagnose {id}",
	},
	{
		Reason: Paused, Weight: AtOnce, NeedsPerson: true,
		Seen: "somebody paused the probing",
		Hint: "probing is paused: providerctl resume {id}",
	},
	{
		Reason: ProbeFailed, Weight: AtOnce,
		Seen: "the check itself broke; see `providerctl logs`",
		Hint: "the check itself failed; see: providerctl logs",
	},
}

// byReason is made when it is first needed, because most commands never do.
var byReason = sync.OnceValue(func() map[Reason]*Meaning {
	index := make(map[Reason]*Meaning, len(Reasons))
	for i := range Reasons {
		index[Reasons[i].Reason] = &Reasons[i]
	}
	return index
})

// Meaning returns the reason's row. For a reason that this version does not know, the row
// has nothing but the reason itself.
func (r Reason) Meaning() Meaning {
	if m := byReason()[r]; m != nil {
		return *m
	}
	return Meaning{Reason: r, Seen: string(r)}
}

// Healthy reports whether a provider with that reason is RUNNING.
func (r Reason) Healthy() bool { return r.Meaning().State == StateRunning }

// NeedsPerson reports whether it lasts until somebody acts.
func (r Reason) NeedsPerson() bool { return r.Meaning().NeedsPerson }

// Seen is what was seen for the reason, in one phrase of plain text.
func Seen(r Reason) string { return strings.ReplaceAll(r.Meaning().Seen, "`", "") }

// Hints are the hints of a kind that are better than a reason's own.
type Hints map[Reason]string

// A Subject is the provider that a hint is about.
type Subject struct {
	Own          string // a hint for it alone, before all others; empty if there is none
	Hints        Hints  // of its kind
	ID, Endpoint string
	KeyEnv       string // the variable that lacks its key; empty if not known
	Model        string // one that is missing; empty if not known
}

// Hint returns what to do next about a provider with that reason, with the provider's own
// values filled in; empty if there is nothing to do.
func Hint(reason Reason, about Subject) string {
	return strings.NewReplacer(
		"{id}", about.ID,
		"{endpoint}", about.Endpoint,
		"{key_env}", cmp.Or(about.KeyEnv, "its API key"),
		"{model}", ShellWord(cmp.Or(about.Model, "MODEL")),
	).Replace(cmp.Or(about.Own, about.Hints[reason], reason.Meaning().Hint))
}

// ShellWord is a name, or a path, as a word of a command line.
func ShellWord(name string) string {
	odd := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-_./:@+", r)
	}
	if name != "" && !strings.ContainsFunc(name, odd) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
