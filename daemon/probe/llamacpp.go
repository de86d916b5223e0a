package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// llamacpp is llama-server (tools/server of ggml-org/llama.cpp). Many services have a
// /health like its own, so it must name itself in the Server header, as all its versions
// do, or be recognised by another page: a proxy may remove the header. /health and
// /v1/health are public; before July 2026 the model list was too (server-http.cpp,
// get_public_endpoints). So /props proves the key, and also that none is wanted. While a
// model loads every path answers 503, before the key is checked. A GET with ?model= makes a
// router load that model, so none is sent.
//
// The default port is 8080; its developers announced that it will become 9931.
var llamacpp = kind{
	Kind: config.Kind{
		Name:     "llamacpp",
		Type:     provider.Local,
		BaseURL:  "http://127.0.0.1:8080",
		ReadAddr: llamaAddress,
		OpenAI:   "/v1",
		KeyEnv:   []string{"LLAMA_API_KEY"},
		Schemes:  []string{"http", "https", "unix"},
		Default:  true,
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: llama-server -m MODEL.gguf",
			provider.Hung:              "llama-server makes no progress: look at its log, then restart it",
			provider.ModelMissing:      "start llama-server with the missing model, or name it with --alias, or correct models in the configuration",
		},
	},
	title:     "llama.cpp",
	ownedBy:   "llamacpp",
	path:      "/health",
	authorize: firstKey,
	accept:    llamaHealth,
	except:    llamaExcept,
	confirm:   confirmLlama,
	proof:     "/props",
	facts: []fact{
		{path: "/v1/models", read: llamaModels, guarded: true},
		{path: "/props", read: llamaProps, guarded: true},
	},
	watch: watchLlama,
	marks: isLlama,
	sign:  sign{"/health", func(a *answer) (Facts, bool) { return Facts{}, isLlama(a) }},
}

// isLlama recognises the name, or the words of its 404 (tools/server/server-http.cpp, the
// error handler), which remain if a proxy removes the name.
func isLlama(a *answer) bool { return a.header.Get("Server") == "llama.cpp" || isLlamaNotFound(a) }

func isLlamaNotFound(a *answer) bool {
	if a.status != 404 {
		return false
	}
	c := a.complaint()
	return c.Message == "File Not Found" && c.HasCode([]string{"not_found_error"})
}

// firstKey sends the first key: the server's own variable may hold several, separated by
// commas.
func firstKey(h http.Header, key string) {
	if first, _, _ := strings.Cut(key, ","); first != "" {
		h.Set("Authorization", "Bearer "+first)
	}
}

func llamaHealth(a *answer) (Facts, bool) {
	var body struct {
		Status string `json:"status"`
	}
	return Facts{}, a.decode(&body) && body.Status == "ok"
}

// confirmLlama tells llama.cpp from other servers with such a /health, by its name, its
// properties or its list. If a page cannot be read now, because of a fault or a missing
// key, the question stays open, and that is what the probe saw. If no key is configured, it
// makes sure that none is wanted.
func confirmLlama(ctx context.Context, r *run, health *answer) finding {
	if isLlama(health) {
		return r.withoutAny(ctx)
	}
	var open finding
	detail := "/health says ok, but neither /props nor /v1/models is llama.cpp's"
	for _, path := range [...]string{"/props", "/v1/models"} {
		a := r.get(ctx, path)
		switch {
		case a.err != nil:
			return r.failure(a.err)
		case a.blocked != "":
			continue
		case a.status == 401 && isLlama(a):
			return r.general(a)
		case isLlama(a), a.status/100 == 2 && a.whole() && isLlamaPage(a):
			if open.saw == provider.Unauthorized {
				return open
			}
			return finding{}
		case a.status == 401, a.status == 403, a.status == 429, a.status >= 500:
			open = r.judge(a, llamaHealth)
		}
		if name := r.p.recognise(a); name != "" {
			detail = name + " answers, not llama.cpp"
		}
	}
	if open.saw != "" {
		return open
	}
	return finding{saw: provider.WrongService, detail: detail}
}

// isLlamaPage recognises /props, also a router's, and /v1/models.
func isLlamaPage(a *answer) bool {
	var props struct {
		Build    string          `json:"build_info"`
		Settings json.RawMessage `json:"default_generation_settings"`
		Role     string          `json:"role"`
	}
	if a.decode(&props) && (props.Build != "" || props.Settings != nil || props.Role == "router") {
		return true
	}
	list, ok := readList(a)
	return ok && list.owner == "llamacpp"
}

// llamaExcept: /v1/health is the same as /health, but other pages do not exist below /v1,
// and one of those proves the key.
func llamaExcept(a *answer) finding {
	if a.status == 200 && a.request.path == "/health" && strings.HasSuffix(a.request.URL.Path, "/v1/health") {
		return finding{saw: provider.BadResponse, detail: "some of its pages are not below /v1" + leaveV1}
	}
	return llamaLoading(a)
}

// llamaLoading: 503 is how the server says that it is not ready yet. The forms
// with "status" are those of versions before July 2024.
func llamaLoading(a *answer) finding {
	var body struct {
		Status string `json:"status"`
	}
	if a.status != 503 || !a.decode(&body) {
		return finding{}
	}
	switch c := a.complaint(); {
	case c.Message == "Loading model", body.Status == "loading model":
		return finding{saw: provider.Loading, detail: "loading a model"}
	case body.Status == "no slot available":
		return finding{saw: provider.Overloaded, detail: "no slot is free"}
	}
	return finding{}
}

// llamaModels reads the list; a router adds each model's status.
func llamaModels(a *answer, f *Facts) {
	loaded := []string{}
	var loading, failed string
	list, ok := readRows(a, func(row *listedModel, m *provider.Model) {
		is := row.Status.Value == "loaded" || row.Status.Value == "" // without a router the one model is loaded
		m.Loaded = &is
		switch {
		case is:
			loaded = append(loaded, m.ID)
		case row.Status.Value == "loading":
			loading = m.ID
		case row.Status.Failed || row.Status.Value == "failed":
			failed = m.ID
		}
	})
	if !ok {
		return
	}
	version := f.Version
	*f = list.facts()
	f.Version, f.Loaded = version, loaded
	switch {
	case loading != "":
		f.Note = "a model is loading: " + loading
	case failed != "":
		f.Note = "a model failed to load: " + failed
	}
}

func llamaProps(a *answer, f *Facts) {
	var body struct {
		Build    string `json:"build_info"`
		Sleeping bool   `json:"is_sleeping"`
	}
	if !a.decode(&body) {
		return
	}
	f.Version = body.Build
	if body.Sleeping {
		f.Loaded = []string{}
		markLoaded(f)
		f.Note = "asleep: the next prompt loads the model"
	}
}

// llamaAddress reads the variables for llama-server's --host, --port, --api-prefix and
// --ssl-*-file.
func llamaAddress(getenv func(string) string) (string, error) {
	host, port := getenv("LLAMA_ARG_HOST"), getenv("LLAMA_ARG_PORT")
	if host == "" && port == "" {
		return "", nil
	}
	if strings.HasSuffix(host, ".sock") {
		if !filepath.IsAbs(host) {
			return "", fmt.Errorf("LLAMA_ARG_HOST: the socket %q needs its full path", host)
		}
		return "unix://" + host, nil
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "8080"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("LLAMA_ARG_PORT: %q is not a port", port)
	}
	scheme := "http"
	if getenv("LLAMA_ARG_SSL_KEY_FILE") != "" && getenv("LLAMA_ARG_SSL_CERT_FILE") != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(connectable(strings.Trim(host, "[]")), port) + getenv("LLAMA_ARG_API_PREFIX"), nil
}
