package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

const (
	// mostCalls is how many calls of tools may be in progress.
	mostCalls = 32

	// away is when to try again if the daemon is away or busy.
	away = 2

	// ending is how long the calls that are aborted at the end may take.
	ending = 30 * time.Millisecond
)

const instructions = "Call pick_provider before you send a request to a model provider, report_failure if that fails, " +
	"and wait_for_provider if none can be used. Never retry a provider before its retry_in_seconds."

// A server answers one client.
type server struct {
	session *ctl.Session
	client  *client.Client
	calls   chan struct{} // has a value for each call in progress
	watch   *watch
}

// Serve answers one client until its input or ctx ends.
func Serve(ctx context.Context, session *ctl.Session, in io.Reader, out io.Writer) error {
	s := &server{session: session, client: session.Client(), calls: make(chan struct{}, mostCalls)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.watch = newWatch(ctx, s.client)
	srv := mcp.NewServer(&mcp.Implementation{Name: "providerd", Title: "Status of model providers", Version: session.Version()}, &mcp.ServerOptions{
		Instructions: instructions, Capabilities: &mcp.ServerCapabilities{},
		SubscribeHandler: s.subscribe, UnsubscribeHandler: s.unsubscribe,
	})
	s.watch.notify = func() {
		_ = srv.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: statusURI}) // the client may be gone
	}
	srv.AddReceivingMiddleware(dropNulls)
	s.addTools(srv)
	s.addResource(srv)
	connection := newLines(in, out)
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx, connection) }()
	select {
	case err := <-served:
		return ended(ctx, err)
	case <-connection.over:
	case <-ctx.Done():
	}
	select { // a call that does not end does not delay the end
	case err := <-served:
		return ended(ctx, err)
	case <-time.After(ending):
		return nil
	}
}

// ended is the error of a server that has ended; the end of ctx or of the input is none.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// looks is what is true of a tool that changes nothing.
func looks(world bool) *mcp.ToolAnnotations {
	no := false
	return &mcp.ToolAnnotations{ReadOnlyHint: true, DestructiveHint: &no, IdempotentHint: true, OpenWorldHint: &world}
}

func (s *server) addTools(srv *mcp.Server) {
	no := false
	add(s, srv, s.status, nil, &mcp.Tool{
		Name: "provider_status", Title: "Status of model providers", Annotations: looks(false),
		Description: "Which model providers (APIs and local servers) can be used now, and why the others cannot: state, reason, hint, and when to retry. Answers at once, from what is known.",
	})
	add(s, srv, s.pick, preferring, &mcp.Tool{
		Name: "pick_provider", Title: "Pick a provider", Annotations: looks(false),
		Description: "The one model provider to use now: its base URL, and the name of the variable that should hold its key, never the key itself. If there is none, says why and when to retry.",
	})
	add(s, srv, s.wait, waiting, &mcp.Tool{
		Name: "wait_for_provider", Title: "Wait for a provider", Annotations: looks(false),
		Description: "Wait up to 60 seconds until a model provider can be used, then answer as pick_provider does. Ends early if only a person can help.",
	})
	add(s, srv, s.models, nil, &mcp.Tool{
		Name: "list_models", Title: "Models of providers", Annotations: looks(false),
		Description: "The models that a provider offers, or all that can be used now.",
	})
	add(s, srv, s.diagnose, nil, &mcp.Tool{
		Name: "diagnose_provider", Title: "Diagnose a provider", Annotations: looks(true),
		Description: "Probe a model provider now, which costs nothing, and say what is wrong: which layer failed, how, and what to do. Takes up to 15 seconds.",
	})
	add(s, srv, s.report, reporting, &mcp.Tool{
		Name: "report_failure", Title: "Report a failure",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: &no, OpenWorldHint: &no},
		Description: "Report that your own request to a model provider failed, so that other agents avoid it and it is probed again. Report only what a request really met.",
	})
}

// preferring completes the schema of a query of pick.
func preferring(schema *jsonschema.Schema) {
	for _, p := range ctl.Preferences() {
		schema.Properties["prefer"].Enum = append(schema.Properties["prefer"].Enum, p)
	}
}

// waiting completes the schema of wait_for_provider.
func waiting(schema *jsonschema.Schema) {
	preferring(schema)
	schema.Properties["timeout_seconds"] = &jsonschema.Schema{
		Type: "number", ExclusiveMinimum: jsonschema.Ptr(0.0), Maximum: jsonschema.Ptr(longWait.Seconds()),
		Description: schema.Properties["timeout_seconds"].Description,
	}
}

// reporting completes the schema of report_failure.
func reporting(schema *jsonschema.Schema) {
	schema.Properties["error"].Enum = []any{"timeout", "refused", "reset"}
}

// add adds a tool. Complete is what its input's schema needs in addition to its type.
func add[In any, Out answer](s *server, srv *mcp.Server, handle func(context.Context, In) (Out, error), complete func(*jsonschema.Schema), tool *mcp.Tool) {
	schema := schemaOf[In]()
	if complete != nil {
		complete(schema)
	}
	tool.InputSchema, tool.OutputSchema = schema, schemaOf[Out]()
	mcp.AddTool(srv, tool, func(ctx context.Context, req *mcp.CallToolRequest, in In) (*mcp.CallToolResult, Out, error) {
		var none Out
		select {
		case s.calls <- struct{}{}:
			defer func() { <-s.calls }()
		default:
			return nil, none, failure{"too many calls are in progress", "wait until some of them are answered", 1}
		}
		out, err := handle(context.WithValue(ctx, requestKey{}, req), in)
		if err != nil {
			return nil, none, s.failure(err)
		}
		return &mcp.CallToolResult{Content: content(out)}, out, nil
	})
}

// schemaOf is the schema of one of our types.
func schemaOf[T any]() *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(fmt.Sprintf("the schema of %T: %v", *new(T), err)) // the type is ours
	}
	for _, p := range schema.Properties { // a list may be empty, but is never null
		if len(p.Types) > 0 {
			p.Type, p.Types = p.Types[len(p.Types)-1], nil
		}
	}
	return schema
}

// dropNulls leaves out the arguments of a call that are null. Some clients write that for
// each optional argument that a model did not give.
func dropNulls(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		var given map[string]json.RawMessage
		if p, ok := req.GetParams().(*mcp.CallToolParamsRaw); ok && json.Unmarshal(p.Arguments, &given) == nil {
			maps.DeleteFunc(given, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
			if kept, err := json.Marshal(given); err == nil && given != nil {
				p.Arguments = kept
			}
		}
		return next(ctx, method, req)
	}
}

// checkID refuses what cannot be an ID, and would be another path of the API.
func checkID(id string) error {
	if id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/?#%") {
		return provider.Errorf(provider.UnknownProvider, "", "no such provider: %q", clip(id, 60))
	}
	return nil
}

// requestKey is the key of the request in the context of its handler.
type requestKey struct{}

// reportProgress tells a client that asked for it that a wait continues, until stop is called.
func (s *server) reportProgress(ctx context.Context, total time.Duration) (stop func()) {
	req, ok := ctx.Value(requestKey{}).(*mcp.CallToolRequest)
	if !ok || req.Params.GetProgressToken() == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for began := time.Now(); sleep(ctx, progressPace) == nil; {
			_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ // the client may be gone
				ProgressToken: req.Params.GetProgressToken(), Progress: min(time.Since(began), total).Seconds(), Total: total.Seconds(),
				Message: "no provider can be used yet",
			})
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// spell adapts the commands in a hint to the socket that was named.
func (s *server) spell(hint string) string {
	if hint == "" {
		return ""
	}
	adapted, _ := s.session.Explain(errors.New(hint))
	return adapted
}

// A failure is what a tool says if it has no answer.
type failure struct {
	message string
	hint    string
	retry   int // in seconds; 0: it would not help
}

func (f failure) Error() string { return sentence(f.message, hintWords(f.hint), retryWords(f.retry)) }

func hintWords(hint string) string {
	if hint == "" {
		return ""
	}
	return "hint: " + hint
}

// failure is what a model is told of an error.
func (s *server) failure(err error) failure {
	message, hint := s.session.Explain(err)
	f := failure{message: clip(message, 400), hint: clip(hint, 400)}
	if ctl.MayReturn(err) {
		f.retry = away
	}
	if e := (*provider.Error)(nil); errors.As(err, &e) && e.Code == provider.UnknownProvider && f.hint == "" {
		f.hint = "call provider_status for the ids"
	}
	return f
}

// asJSON is a value as text.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // its type is ours
	}
	return string(text)
}
