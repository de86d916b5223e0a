package provider

// seen holds what a probe saw of each situation, as docs/reasons.md says it.
var seen = map[Reason]string{
	OK:                  "the answer that this kind promises",
	ScopeLimited:        "the key works, and may not list models",
	NotChecked:          "no probe has ended yet; after a resume, with the state from before",
	Offline:             "this host has no network, slept, or was held up, so remote providers cannot be judged",
	NoCredentials:       "a cloud provider without a key; nothing is sent",
	ConnectionRefused:   "nothing listens there",
	Loading:             "the server says that it is loading",
	NoModels:            "up, and lists no model",
	ModelMissing:        "up, and a model that the configuration requires is not listed",
	VendorIncident:      "up, and the vendor's own status feed reports an outage of it",
	Slow:                "up, and slower than slow_after, fall times in a row",
	Hung:                "connected, then silence until the timeout; or requests run in it, and nothing comes of them",
	ConnectionReset:     "connected, then closed before an answer",
	RateLimited:         "429, and no word of a quota; retry_at says until when",
	Overloaded:          "529, or a 5xx that says it is over capacity, or a 429 whose code does",
	ServerError:         "a 5xx that says nothing more",
	EngineDead:          "the server answers, and says that the engine behind it has died",
	ShuttingDown:        "the server says that it is stopping",
	Unauthorized:        "the key is missing or was rejected",
	KeyWithheld:         "it wants the key, which is not given to whoever listens there; see security.md",
	Forbidden:           "403: the key works, and is not allowed this",
	QuotaExhausted:      "402, or a 429 about quota, credit or a spend limit, or a 401 or 403 whose code is one of those",
	WrongService:        "another program answers at that address",
	BadResponse:         "an answer, and not what this kind promises",
	TLSFailure:          "the certificate, or the TLS handshake, is no good",
	CertificateExpiring: "up, and its certificate has fewer days left than expect_days",
	DNSFailure:          "the name cannot be resolved",
	NetworkUnreachable:  "no route",
	ConnectTimeout:      "no connection within the timeout",
	NotFound:            "what is asked for does not exist there: the unit, the program",
	NotRunning:          "systemd says that the unit does not run",
	UnitFailed:          "systemd says that the unit failed, is masked, or cannot be loaded",
	CheckWarning:        "a plug-in ended with 1, WARNING",
	CheckCritical:       "a plug-in ended with 2, CRITICAL",
	CheckUnknown:        "a check that could not tell: a plug-in ended with 3 or in another way, or there is no systemd to ask",
	Paused:              "a person paused the probing",
	ProbeFailed:         "the check itself broke; see providerctl logs",
}

// Seen says in one phrase what was seen where the reason holds; for a reason that
// this version does not know it is the reason itself.
func Seen(r Reason) string {
	if s, ok := seen[r]; ok {
		return s
	}
	return string(r)
}
