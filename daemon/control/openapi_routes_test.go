package control

import (
	"github.com/providerd/providerd/store/provider"
)

// A described route is what [routes] does not say of it.
type described struct {
	summary string
	about   string
	body    any  // of the request: a value of its type, or its schema
	mayLack bool // the body
	replies []reply
}

// A reply is one that a route gives. Those that every route gives are in everyReply.
type reply struct {
	status int
	what   string
	body   any // nil: a JSON document of any shape
	note   any // of a stream: a line that is not data
	media  string
}

const linesMedia = "application/x-ndjson"

var stillWaiting = "time ran out: what there is, with `error`"

var descriptions = map[string]described{
	"/api/providers/status": {
		summary: "All rows, or some",
		about:   "A plain read waits for nothing. Rows come in the configuration's order, each once.",
		replies: []reply{{status: 200, what: "the rows", body: provider.StatusReply{}}},
	},
	"/api/providers/refresh": {
		summary: "Probe now",
		about: "A row whose generation is the reply's or later came from a probe that began after the refresh was accepted. " +
			"The query names the providers, or the body, but not both; where neither does, all are probed.",
		body: object{
			"type":                 "object",
			"properties":           object{"provider_id": named},
			"additionalProperties": false,
			"examples":             []object{{"provider_id": "ollama"}, {"provider_id": []string{"ollama", "openai"}}},
		},
		mayLack: true,
		replies: []reply{
			{status: 202, what: "the probes will come", body: provider.RefreshReply{}},
			{status: 200, what: "with `wait`: the probes came", body: provider.RefreshReply{}},
			{status: 503, what: "with `wait`: the daemon is shutting down; what there is, with `error`", body: provider.RefreshReply{}},
			{status: 504, what: stillWaiting, body: provider.RefreshReply{}},
		},
	},
	"/api/discover": {
		summary: "Look for local kinds at their default addresses",
		about:   "One connect to each address, then at most one question for each kind that might listen there. Those who ask at once share a look, and there is at most one a second.",
		replies: []reply{{status: 200, what: "what answers", body: provider.DiscoverReply{}}},
	},
	"/api/providers/{id}": {
		summary: "One row",
		replies: []reply{{status: 200, what: "the row", body: provider.Status{}}},
	},
	"/api/providers/{id}/models": {
		summary: "The models of one provider",
		about:   "A list without checked_at is unknown, which is not the same as empty.",
		replies: []reply{{status: 200, what: "the models", body: provider.ModelsReply{}}},
	},
	"/api/providers/{id}/diagnostics": {
		summary: "What the last probe saw, layer by layer",
		replies: []reply{{status: 200, what: "the evidence, and the verdict", body: provider.Diagnostics{}}},
	},
	"/api/providers/{id}/diagnose": {
		summary: "Probe now on a new connection, and show every layer",
		replies: []reply{
			{status: 200, what: "the evidence, and the verdict", body: provider.DiagnoseReply{}},
			{status: 503, what: "the daemon is shutting down; the last probe's evidence, with `error`", body: provider.DiagnoseReply{}},
			{status: 504, what: stillWaiting, body: provider.DiagnoseReply{}},
		},
	},
	"/api/providers/{id}/history": {
		summary: "Transitions and uptime",
		replies: []reply{{status: 200, what: "the transitions that are kept", body: provider.HistoryReply{}}},
	},
	"/api/providers/{id}/pause": {
		summary: "Stop probing",
		replies: []reply{
			{status: 200, what: "the row, once it is saved", body: provider.Status{}},
		},
	},
	"/api/providers/{id}/report": {
		summary: "Tell what a caller met",
		about: "A success, and a status that blames the request, are refused. The provider is probed at once or, when retry_after says so, then; " +
			"a probe that began later overrules the report, but not a retry_at that still runs.",
		body: provider.Report{},
		replies: []reply{
			{status: 200, what: "the row, once the report is saved", body: provider.Status{}},
		},
	},
	"/api/providers/{id}/resume": {
		summary: "Probe again",
		replies: []reply{
			{status: 200, what: "the row, once it is saved", body: provider.Status{}},
		},
	},
	"/api/events": {
		summary: "What changed",
		about:   "Numbers rise by one: nothing is skipped, nothing repeated.",
		replies: []reply{
			{status: 200, what: "events, and lines with a type, which are not", body: provider.Event{}, note: provider.StreamNote{}, media: linesMedia},
			{status: 410, what: "events that were asked for are no longer kept", body: provider.ErrorReply{}},
		},
	},
	"/api/daemon": {
		summary: "Version, paths, counters",
		replies: []reply{{status: 200, what: "about the daemon", body: provider.DaemonInfo{}}},
	},
	"/api/daemon/reload": {
		summary: "Read the configuration again",
		replies: []reply{
			{status: 200, what: "it is in force", body: provider.ReloadReply{}},
			{status: 422, what: "it is not valid, and nothing has changed", body: provider.ErrorReply{}},
		},
	},
	"/api/daemon/log-level": {
		summary: "Change the level of the log",
		about:   "Levels are trace, debug, info, warn, error and off.",
		body:    provider.LogLevel{},
		replies: []reply{{status: 200, what: "the level in force", body: provider.LogLevel{}}},
	},
	"/api/daemon/log": {
		summary: "The log",
		replies: []reply{{status: 200, what: "lines of the log, and lines with a type, which are not", body: provider.LogLine{}, note: provider.StreamNote{}, media: linesMedia}},
	},
	"/api/daemon/backup": {
		summary: "A copy of the database",
		about:   "All that was ever seen is in it. One at a time: 503 too_many while another is made or read.",
		replies: []reply{{status: 200, what: "the database's file, with its length", body: "", media: contentBytes[0]}},
	},
	"/api/openapi.json": {
		summary: "This description",
		replies: []reply{{status: 200, what: "an OpenAPI document"}},
	},
	"/metrics": {
		summary: "What the daemon counts, for Prometheus",
		replies: []reply{{status: 200, what: "the text format 0.0.4", body: "", media: contentText[0]}},
	},
	"/healthz": {
		summary: "The daemon's own health",
		replies: []reply{
			{status: 200, what: "every check is ok", body: provider.Health{}},
			{status: 503, what: "a check is not ok, or the daemon is shutting down", body: provider.Health{}},
		},
	},
}

var (
	oneID = object{"type": "string", "minLength": 1}
	named = object{
		"description": "only this provider, or these; null is the same as left out",
		"oneOf":       []object{oneID, {"type": "array", "items": oneID, "minItems": 1}, {"type": "null"}},
	}
)

// A parameter of the query. What a route says of its own replaces the general.
type parameter struct {
	about  string
	schema object
}

var (
	duration = object{"type": "string", "examples": []string{"500ms", "5s", "1m30s"}}
	number   = object{"type": "integer", "minimum": 0}
	flag01   = object{"type": "string", "enum": []string{"1", "0", "true", "false"}}
)

var parameters = map[string]parameter{
	"provider_id": {"only this provider; may be repeated", object{"type": "array", "items": object{"type": "string", "minLength": 1}}},
	"max_age":     {"rows whose probe began longer ago than that are probed first; 0s: all of them", duration},
	"wait":        {"wait for the results for at most so long; at most 10m", duration},
	"force":       {"probe even a rate-limited provider before its retry_at", flag01},
	"since":       {"only events after this number", number},
	"follow":      {"go on with what is to come", flag01},
	"lines":       {"how many of the last lines; 100 unless said", number},

	"/api/providers/status wait":        {"with max_age: for at most so long, at most 10m; 5s unless said", duration},
	"/api/providers/{id}/diagnose wait": {"for at most so long, at most 10m; 15s unless said", duration},
}

// everyReply is what any route may answer.
var everyReply = []reply{
	{status: 400, what: "a parameter or the body cannot be read, or is not known", body: provider.ErrorReply{}},
	{status: 403, what: "the caller may not do this, or a web page sent it", body: provider.ErrorReply{}},
	{status: 413, what: "a body over 64 KiB", body: provider.ErrorReply{}},
	{status: 500, what: "a bug; the log has more", body: provider.ErrorReply{}},
	{status: 503, what: "too many connections, the database cannot be written, or the daemon is shutting down", body: provider.ErrorReply{}},
}

// unknownReply is what a route answers that names providers.
var unknownReply = reply{status: 404, what: "no such provider", body: provider.ErrorReply{}}
