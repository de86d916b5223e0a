package control

import "github.com/providerd/providerd/store/provider"

const (
	providersPath = "/api/providers/"
	statusPath    = "/api/providers/status"
	refreshPath   = "/api/providers/refresh"

	notifyPath      = "/api/notify"
	maintenancePath = "/api/maintenance"
)

// routes has a row for each route, in the order of docs/api.md. Nothing in it is computed,
// so that it costs no time when the program starts.
var routes = []route{
	{
		method: "GET", path: statusPath, serve: (*Server).status,
		params: []parameter{
			paramProviderID,
			{"max_age", "first probe the rows whose last probe began longer ago than this; 0s: all of them", schemaDuration},
			{"wait", "with max_age: how long to wait for probes, at most 10m; 5s by default", schemaDuration},
		},
		summary: "All rows, or some",
		about:   "A plain read does not wait. Rows come in the configuration's order, each once.",
		replies: []reply{{status: 200, what: "the rows", body: provider.StatusReply{}}},
	},
	{
		method: "POST", path: refreshPath, serve: (*Server).refresh,
		params: []parameter{paramProviderID, {"wait", "how long to wait for the results, at most 10m", schemaDuration}, paramForce},
		fields: []string{"provider_id"}, sends: `{"provider_id":"ollama"} or {"provider_id":["ollama","openai"]}`,
		body: jsonSchema(`{
			"type": "object",
			"properties": {
				"provider_id": {
					"description": "only this provider, or these; null is the same as absent",
					"oneOf": [
						{"type": "string", "minLength": 1},
						{"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
						{"type": "null"}
					]
				}
			},
			"additionalProperties": false,
			"examples": [{"provider_id": "ollama"}, {"provider_id": ["ollama", "openai"]}]
		}`),
		mayLack: true,
		summary: "Probe now",
		about: "A row whose generation is the reply's or later came from a probe that began after the refresh was accepted. " +
			"The query or the body may name the providers, or both may name the same ones; if neither does, all are probed.",
		replies: []reply{
			{status: 202, what: "the probes will come", body: provider.RefreshReply{}},
			{status: 200, what: "with `wait`: the probes came", body: provider.RefreshReply{}},
			{status: 503, what: "with `wait`: the daemon is shutting down; the rows as they are, with `error`", body: provider.RefreshReply{}},
			{status: 504, what: "time ran out; the rows as they are, with `error`", body: provider.RefreshReply{}},
		},
	},
	{
		method: "GET", path: onePath, serve: (*Server).row,
		summary: "One row",
		replies: []reply{{status: 200, what: "the row", body: provider.Status{}}},
	},
	{
		method: "GET", path: onePath + "/models", serve: (*Server).models,
		summary: "The models of one provider",
		about:   "A list without checked_at is unknown, which is not the same as empty.",
		replies: []reply{{status: 200, what: "the models", body: provider.ModelsReply{}}},
	},
	{
		method: "GET", path: onePath + "/diagnostics", serve: (*Server).diagnostics,
		summary: "What the last probe saw, layer by layer",
		replies: []reply{{status: 200, what: "the evidence, and the verdict", body: provider.Diagnostics{}}},
	},
	{
		method: "GET", path: onePath + "/history", serve: (*Server).history,
		params: []parameter{
			{"from", "only from this time onward", schemaTime},
			{"since", "only after the event with this number", schemaNumber},
			paramWindow, paramStep,
		},
		summary: "Transitions, uptime, and hours or days",
		about: "With window or step the reply has buckets, outages, and the states in that time, also from before a restart. " +
			"It begins with the whole bucket in which the window begins. Otherwise it goes back as far as transitions are kept, but not before the daemon's start.",
		replies: []reply{
			{status: 200, what: "the history", body: provider.HistoryReply{}},
			{status: 410, what: "the event is no longer kept, or does not exist yet", body: provider.ErrorReply{}},
		},
	},
	{
		method: "POST", path: onePath + "/diagnose", serve: (*Server).diagnose,
		params:  []parameter{{"wait", "how long to wait for the probe, at most 10m; 15s by default", schemaDuration}, paramForce},
		summary: "Probe now on a new connection, and show every layer",
		replies: []reply{
			{status: 200, what: "the evidence, and the verdict", body: provider.DiagnoseReply{}},
			{status: 503, what: "the daemon is shutting down; the last probe's evidence, with `error`", body: provider.DiagnoseReply{}},
			{status: 504, what: "time ran out; the last probe's evidence, with `error`", body: provider.DiagnoseReply{}},
		},
	},
	{
		method: "POST", path: onePath + "/pause", serve: (*Server).pause,
		op: opAdmin, phrase: "pause ID", command: "pause ID",
		summary: "Stop probing",
		replies: []reply{{status: 200, what: "the row, once it is saved", body: provider.Status{}}},
	},
	{
		method: "POST", path: onePath + "/resume", serve: (*Server).resume,
		op: opAdmin, phrase: "resume ID", command: "resume ID",
		summary: "Probe again",
		replies: []reply{{status: 200, what: "the row, once it is saved", body: provider.Status{}}},
	},
	{
		method: "GET", path: onePath + "/slots", serve: (*Server).slotsOf,
		summary: "How many slots of a provider are free",
		replies: []reply{
			{status: 200, what: "the slots", body: provider.SlotsReply{}},
			{status: 409, what: "the provider has no slots in the configuration", body: provider.ErrorReply{}},
		},
	},
	{
		method: "POST", path: onePath + "/slots", serve: (*Server).takeProviderSlot,
		params:  []parameter{{"wait", "how long to wait for a slot, at most 10m", schemaDuration}},
		summary: "Hold a slot of a provider",
		about: "The reply stays open, and the slot is held until the client closes the connection, sends anything, or dies. The first line says which slot it is; " +
			"there is no other, except an end when the daemon shuts down. Nobody gets a slot while the provider cannot be used. Users who wait take turns.",
		replies: []reply{
			{status: 200, what: "the slot, and a line with a type when it ends", body: provider.Slot{}, note: provider.StreamNote{}, media: mediaLines},
			{status: 409, what: "the provider has no slots in the configuration", body: provider.ErrorReply{}},
			{status: 504, what: "with `wait`: time ran out", body: provider.ErrorReply{}},
		},
	},
	{
		method: "POST", path: "/api/discover", serve: (*Server).discover,
		summary: "Look for local kinds at their default addresses",
		about:   "It makes one connection to each address, then at most one request for each kind that might listen there. Concurrent callers share one discovery, and there is at most one a second.",
		replies: []reply{{status: 200, what: "what answers", body: provider.DiscoverReply{}}},
	},
	{
		method: "POST", path: onePath + "/report", serve: (*Server).report,
		fields: []string{"status", "error", "retry_after", "headers"}, sends: `{"status":429,"retry_after":"60"}`, body: provider.Report{},
		summary: "Report a caller's own result",
		about: "A success, and a status that blames the request, are refused. After an administrator's report the provider is probed at once or, if retry_after " +
			"says so, at that time. A probe that began later overrules the report, but not a retry_at in the future. Any other user may send one report a second: " +
			"the provider is probed at once, and the row shows the report until a probe succeeds, for at most a minute, " +
			"and at most 10 minutes in any hour.",
		replies: []reply{{status: 200, what: "the row, once the report is saved", body: provider.Status{}}},
	},
	{
		method: "POST", path: onePath + "/action", serve: (*Server).action,
		fields: []string{"action", "phase"}, sends: `{"action":"stop","phase":"begins"}`,
		body: jsonSchema(`{
			"type": "object",
			"properties": {
				"action": {"description": "what systemd is asked to do", "type": "string", "enum": ["start", "stop", "restart"]},
				"phase": {"description": "begins, then done or failed", "type": "string", "enum": ["begins", "done", "failed"]}
			},
			"required": ["action", "phase"],
			"additionalProperties": false,
			"examples": [{"action": "stop", "phase": "begins"}]
		}`),
		summary: "Note that systemd is asked to start, stop or restart the provider's unit",
		about: "The daemon itself starts and stops nothing: the caller asks systemd. The events that follow soon and can be the effect have the action, " +
			"with the user as the system reports them. After done the provider is probed.",
		replies: []reply{{status: 200, what: "the row as it is", body: provider.Status{}}},
	},
	{
		method: "GET", path: "/api/events", serve: (*Server).events,
		params:  []parameter{{"since", "only events after this number", schemaNumber}, paramFollow},
		summary: "What changed",
		about:   "Numbers rise by one: none is skipped or repeated.",
		replies: []reply{
			{status: 200, what: "events, and lines with a type, which are not events", body: provider.Event{}, note: provider.StreamNote{}, media: mediaLines},
			{status: 410, what: "the requested events are no longer kept", body: provider.ErrorReply{}},
		},
	},
	{
		method: "GET", path: "/api/history", serve: (*Server).histories,
		params: []parameter{
			paramProviderID, {"from", "only from this time onward", schemaTime}, paramWindow, paramStep,
		},
		summary: "How much of the time each provider was up",
		about: "The last 30 days by default. The reply begins with the whole bucket in which the window begins. Providers come in the configuration's order. " +
			"Providers that are no longer configured are left out; their history is kept, in case they return.",
		replies: []reply{{status: 200, what: "an entry for each provider", body: provider.HistoriesReply{}}},
	},
	{
		method: "GET", path: "/api/fleet", serve: (*Server).fleet,
		summary: "The machines that share probes with this one",
		about: "It does not wait for another machine. Without a fleet, mode is off. hosts has the servers that run on other machines; " +
			"the providers that this machine shares are ordinary rows of the status.",
		replies: []reply{{status: 200, what: "this machine's part in the fleet, and what it knows of the others", body: provider.FleetReply{}}},
	},
	{
		method: "GET", path: notifyPath, serve: (*Server).notifications,
		summary: "Who is told, and what waits to be told",
		about:   "It has no addresses.",
		replies: []reply{{status: 200, what: "the sinks", body: provider.NotifyReply{}}},
	},
	{
		method: "POST", path: sinkPath + "/test", serve: (*Server).testSink,
		op: opAdmin, phrase: "send a test to ID", command: "notify test ID",
		summary: "Send a message of type test",
		about:   "It waits, at most 30 s, until the receiver has accepted or refused it, and delays no other message.",
		replies: []reply{
			{status: 200, what: "the receiver accepted it", body: provider.NotifyAction{}},
			{status: 404, what: "no such sink", body: provider.ErrorReply{}},
			{status: 502, what: "the receiver did not accept it; the error says why", body: provider.ErrorReply{}},
		},
	},
	{
		method: "POST", path: sinkPath + "/retry", serve: (*Server).retrySink,
		op: opAdmin, phrase: "send the messages of ID again", command: "notify retry ID",
		fields: []string{"messages"}, sends: `{"messages":["msg_…"]}`, body: provider.NotifyMessages{}, mayLack: true,
		summary: "Send messages again now",
		about:   "Without a body it concerns all messages: those that were given up and those that wait.",
		replies: []reply{
			{status: 200, what: "they are being sent", body: provider.NotifyAction{}},
			{status: 404, what: "no such sink or message", body: provider.ErrorReply{}},
		},
	},
	{
		method: "POST", path: sinkPath + "/drop", serve: (*Server).dropOfSink,
		op: opAdmin, phrase: "drop messages of ID", command: "notify drop ID",
		fields: []string{"messages"}, sends: `{"messages":["msg_…"]}`, body: provider.NotifyMessages{}, mayLack: true,
		summary: "Drop messages that nobody needs",
		about:   "Without a body it concerns those that were given up.",
		replies: []reply{
			{status: 200, what: "they are not sent any more", body: provider.NotifyAction{}},
			{status: 404, what: "no such sink or message", body: provider.ErrorReply{}},
		},
	},
	{
		method: "GET", path: maintenancePath, serve: (*Server).maintenance,
		summary: "Which providers are in maintenance",
		replies: []reply{{status: 200, what: "those that are, announced or by the configuration", body: provider.MaintenanceReply{}}},
	},
	{
		method: "POST", path: maintenancePath, serve: (*Server).maintain,
		op: opAdmin, phrase: "announce maintenance of WHAT", command: "maintenance WHAT --for 2h", what: (*Server).whatMaintained,
		fields: []string{"provider_id", "for", "until"}, sends: `{"provider_id":["gpu1"],"for":"2h"}`,
		body: jsonSchema(`{
			"type": "object",
			"properties": {
				"provider_id": {
					"description": "this provider, or these",
					"oneOf": [
						{"type": "string", "minLength": 1},
						{"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
					]
				},
				"for": {"description": "how long, from now, at most 8784h", "type": "string", "examples": ["2h"]},
				"until": {"description": "or until when", "type": "string", "format": "date-time"}
			},
			"required": ["provider_id"],
			"additionalProperties": false,
			"examples": [{"provider_id": "gpu1", "for": "2h"}]
		}`),
		summary: "Announce maintenance",
		about:   "Nobody is told of trouble meanwhile; what is left of it at the end is told then. Probing goes on. It replaces what was announced for the same providers.",
		replies: []reply{
			{status: 200, what: "it is saved", body: provider.MaintenanceReply{}},
			{status: 404, what: "no such provider", body: provider.ErrorReply{}},
		},
	},
	{
		method: "DELETE", path: maintenancePath, serve: (*Server).endMaintenance,
		op: opAdmin, phrase: "end maintenance of WHAT", command: "maintenance end WHAT", what: (*Server).whatEnded,
		params:  []parameter{paramProviderID},
		summary: "End maintenance that was announced",
		about:   "Without provider_id it ends all. Maintenance of the configuration is not affected.",
		replies: []reply{
			{status: 200, what: "what has ended, and what still lasts", body: provider.MaintenanceReply{}},
			{status: 404, what: "no such provider", body: provider.ErrorReply{}},
		},
	},
	{
		method: "GET", path: "/api/daemon", serve: (*Server).info,
		summary: "Version, paths, counters",
		replies: []reply{{status: 200, what: "about the daemon", body: provider.DaemonInfo{}}},
	},
	{
		method: "GET", path: "/api/daemon/config", serve: (*Server).configuration,
		op: opAdmin, phrase: "read the configuration", command: "config show --running", program: "providerd",
		summary: "The configuration in force",
		about:   "It includes every default and no secret. The file may have changed since: a reload reads it.",
		replies: []reply{{status: 200, what: "the configuration, as an equivalent file", body: provider.ConfigReply{}}},
	},
	{
		method: "POST", path: "/api/daemon/reload", serve: (*Server).reload,
		op: opAdmin, phrase: "reload the configuration", command: "reload",
		summary: "Read the configuration again",
		replies: []reply{
			{status: 200, what: "it is in force", body: provider.ReloadReply{}},
			{status: 422, what: "it is invalid, and nothing has changed", body: provider.ErrorReply{}},
		},
	},
	{
		method: "PUT", path: "/api/daemon/log-level", serve: (*Server).logLevel,
		op: opAdmin, phrase: "change the log level", command: "log-level WHAT", what: (*Server).whatLevel,
		fields: []string{"level"}, sends: `{"level":"debug"}`, body: provider.LogLevel{},
		summary: "Change the level of the log",
		about:   "Levels are trace, debug, info, warn, error and off.",
		replies: []reply{{status: 200, what: "the level in force", body: provider.LogLevel{}}},
	},
	{
		method: "GET", path: "/api/daemon/log", serve: (*Server).logLines,
		op: opAdmin, phrase: "read the log", command: "logs",
		params:  []parameter{{"lines", "how many of the last lines; 100 by default", schemaNumber}, paramFollow},
		summary: "The log",
		replies: []reply{
			{status: 200, what: "lines of the log, and lines with a type, which are not part of it", body: provider.LogLine{}, note: provider.StreamNote{}, media: mediaLines},
		},
	},
	{
		method: "GET", path: "/api/daemon/backup", serve: (*Server).backup,
		op: opAdmin, phrase: "back up the database", command: "backup FILE",
		summary: "A copy of the database",
		about:   "It holds everything that the daemon has recorded. One at a time: 503 too_many while another is being made or read.",
		replies: []reply{{status: 200, what: "the database's file, with its length", body: "", media: mediaBytes}},
	},
	{
		method: "GET", path: "/api/openapi.json", serve: (*Server).describe,
		summary: "This description",
		replies: []reply{{status: 200, what: "an OpenAPI document"}},
	},
	{
		method: "GET", path: "/metrics", serve: (*Server).scrape,
		summary: "The daemon's metrics, for Prometheus",
		replies: []reply{{status: 200, what: "the text format 0.0.4", body: "", media: mediaText}},
	},
	{
		method: "GET", path: "/healthz", serve: (*Server).health,
		summary: "The daemon's own health",
		replies: []reply{
			{status: 200, what: "every check is ok", body: provider.Health{}},
			{status: 503, what: "a check is not ok, or the daemon is shutting down", body: provider.Health{}},
		},
	},
}

// everyReply lists the replies that any route can give.
var everyReply = []reply{
	{status: 400, what: "a parameter or the body is unknown or cannot be read", body: provider.ErrorReply{}},
	{status: 403, what: "the caller may not do this, or the request came from a web page", body: provider.ErrorReply{}},
	{status: 413, what: "a body over 64 KiB", body: provider.ErrorReply{}},
	{status: 500, what: "a bug; the log has more", body: provider.ErrorReply{}},
	{status: 503, what: "too many connections, the database cannot be written, or the daemon is shutting down", body: provider.ErrorReply{}},
}

// unknownReply is a reply of the routes that name providers.
var unknownReply = reply{status: 404, what: "no such provider", body: provider.ErrorReply{}}
