package complaint

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// complained is the complaint of a body, as a server sent it.
func complained(contentType, body string) *Complaint {
	return Read(Body{Bytes: []byte(body), Page: contentType == "text/html"})
}

// TestComplaint_Means: what an answer says about an account is understood under any status
// and in any envelope, and nothing is made up.
func TestComplaint_Means(t *testing.T) {
	const (
		quota, limit, dead   = provider.QuotaExhausted, provider.RateLimited, provider.Unauthorized
		forbidden, loading   = provider.Forbidden, provider.Loading
		overloaded, failure  = provider.Overloaded, provider.ServerError
		nothing, json, plain = provider.Reason(""), "application/json", "text/plain"
	)
	tests := []struct {
		name    string
		status  int
		form    string
		body    string
		want    provider.Reason
		message string // a part of it; "-": there is none
	}{
		// Envelopes around one sentence.
		{"an object", 400, json, `{"error":{"message":"API key expired"}}`, dead, "API key expired"},
		{"an array", 400, json, `[{"error":{"message":"API key expired"}}]`, dead, "API key expired"},
		{"a string", 400, json, `{"error":"API key expired"}`, dead, "API key expired"},
		{"a bare string", 400, json, `"API key expired"`, dead, "API key expired"},
		{"JSON in a string", 400, json, `{"error":"{\"error\":{\"message\":\"API key expired\"}}"}`, dead, "API key expired"},
		{"JSON in a message", 400, json, `{"error":{"message":"litellm.BadRequestError: GeminiException - {\n \"error\": {\"code\":400,\"message\":\"API key expired\"}}"}}`, dead, "litellm.BadRequestError: GeminiException - API key expired"},
		{"a JSON array in a message", 400, json, `{"error":{"message":"upstream: [{\"error\":{\"message\":\"API key expired\"}}]"}}`, dead, "upstream: API key expired"},
		{"a list", 400, json, `{"errors":[{"code":"authentication_token_expired","message":"Failed to authenticate the request due to an expired token"}]}`, dead, "Failed to authenticate"},
		{"a list of strings", 400, json, `{"errors":["API key expired"]}`, dead, "API key expired"},
		{"detail", 400, json, `{"detail":"API key expired"}`, dead, "API key expired"},
		{"detail of an object", 400, json, `{"detail":{"status":"invalid_api_key","message":"no such key"}}`, dead, "no such key"},
		{"detail of a list", 403, json, `{"detail":[{"loc":["header"],"msg":"API key expired","type":"value_error"}]}`, dead, "API key expired"},
		{"a problem", 403, "application/problem+json", `{"type":"about:blank","title":"Forbidden","status":403,"detail":"The API key was revoked"}`, dead, "The API key was revoked"},
		{"a title beside the message", 403, json, `{"statusCode":403,"error":"Forbidden","message":"API key expired"}`, dead, "API key expired"},
		{"a reason among the details", 400, json, `{"error":{"code":400,"message":"Bad.","details":[{"reason":"API_KEY_INVALID"}]}}`, dead, "Bad."},
		{"a reason beside the message", 403, json, `{"code":403,"reason":"NOT_ENOUGH_BALANCE","message":"no","metadata":{}}`, quota, "no"},
		{"base_resp", 500, json, `{"base_resp":{"status_code":1008,"status_msg":"no money"}}`, quota, "no money"},
		{"error_msg", 400, json, `{"error_code":111,"error_msg":"Access token expired"}`, dead, "Access token expired"},
		{"XML", 403, "application/xml", `<?xml version="1.0"?><Error><Code>Denied</Code><Message>The API key is expired</Message></Error>`, dead, "The API key is expired"},
		{"HTML", 403, "text/html", `<html><style>b{}</style><body><h1>403</h1><p>Your API key&nbsp;has <b>expired</b>.</p></body></html>`, dead, "an HTML page"},
		{"plain text", 403, plain, "API key has expired", dead, "API key has expired"},
		{"JSON that broke off", 403, json, `{"error":{"message":"API key expired","det`, dead, "API key expired"},
		{"JSON that broke off earlier", 403, json, `{"error":{"mess`, forbidden, "-"},
		{"nothing for people", 429, json, `{"foo":[1,2]}`, limit, "-"},

		// Invalid keys.
		{"leaked", 403, json, `{"error":{"code":403,"message":"Your API key was reported as leaked. Please use another API key.","status":"PERMISSION_DENIED"}}`, dead, ""},
		{"suspended consumer", 403, json, `{"error":{"code":403,"message":"Permission denied: Consumer 'api_key:nobody' has been suspended.","status":"PERMISSION_DENIED","details":[{"reason":"CONSUMER_SUSPENDED"}]}}`, dead, ""},
		{"LiteLLM's expired key", 400, json, `{"error":{"message":"Authentication Error - Expired Key. Key Expiry time 2026-01-01","type":"expired_key","param":"k","code":"400"}}`, dead, ""},
		{"revoked", 403, json, `{"error":{"message":"This API key has been revoked","code":"key_revoked"}}`, dead, ""},
		{"deactivated account", 403, json, `{"error":{"message":"The OpenAI account associated with this API key has been deactivated.","code":"account_deactivated"}}`, dead, ""},
		{"Amazon's", 403, json, `{"message":"The security token included in the request is expired","__type":"ExpiredTokenException"}`, dead, ""},
		{"Bedrock's", 403, json, `{"Message":"Authentication failed: Please make sure your API Key is valid."}`, dead, "make sure"},
		{"under 500", 500, json, `{"error":{"message":"Incorrect API key provided"}}`, dead, ""},
		{"none arrived", 403, json, `{"error":{"code":403,"message":"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.","status":"PERMISSION_DENIED"}}`, dead, ""},
		{"words between", 403, json, `{"error":{"message":"The API key you provided has expired."}}`, dead, ""},
		{"words of another sentence", 403, json, `{"error":{"message":"The API key works. The offer has expired."}}`, forbidden, ""},
		{"a token", 403, json, `{"detail":"Could not validate credentials"}`, dead, ""},
		{"a key in Chinese", 403, json, `{"error":{"message":"无效的API Key"}}`, dead, ""},
		{"one-api's ban", 403, json, `{"error":{"message":"用户已被封禁"}}`, dead, ""},
		{"an event of a stream", 403, "text/event-stream", "event: error\ndata: {\"error\":{\"message\":\"API key expired\"}}\n\n", dead, "API key expired"},
		{"after a byte order mark", 403, json, "\ufeff{\"error\":{\"message\":\"API key expired\"}}", dead, "API key expired"},
		{"one-api's", 403, json, `{"error":{"message":"该令牌已过期","type":"one_api_error"}}`, dead, ""},
		{"the key works, and may not", 403, json, `{"error":{"message":"Requests to this API are blocked.","details":[{"reason":"API_KEY_SERVICE_BLOCKED"}]}}`, forbidden, ""},
		{"a quoted name", 400, json, `{"error":{"message":"no such model: 'nobody/insufficient-credit-7b'"}}`, nothing, ""},
		{"a quoted code", 400, json, `{"error":{"message":"the vendor said 'insufficient_balance'"}}`, quota, ""},
		{"a quoted code of a key", 400, json, `{"error":{"message":"the vendor said \"invalid_api_key\""}}`, dead, ""},
		{"a quoted value", 400, json, `{"error":{"message":"upstream: {'code': 'insufficient_balance'}"}}`, quota, ""},
		{"an address", 400, json, `{"error":{"message":"See https://docs.example.com/errors#invalid-api-key"}}`, nothing, ""},
		{"a page's session", 403, "text/html", `<html><body><h1>403</h1>Authentication failed: your token has expired. Sign in again.</body></html>`, forbidden, ""},
		{"a web space", 403, "text/html", `<html><body><h1>This Account has been suspended.</h1>Contact your hosting provider.</body></html>`, forbidden, ""},
		{"a shut out organization", 400, json, `{"error":{"message":"This organization has been disabled."}}`, forbidden, ""},
		{"a parser's tokens", 400, json, `{"error":{"message":"Invalid token at position 7: unexpected end"}}`, nothing, ""},
		{"a model that is not there", 404, json, `{"error":{"message":"API key expired"}}`, nothing, ""},

		// Money.
		{"MiniMax's 500", 500, json, `{"type":"error","error":{"type":"api_error","message":"insufficient balance (1008)"}}`, quota, ""},
		{"Alibaba's 400", 400, json, `{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."}`, quota, ""},
		{"Alibaba's 403", 403, json, `{"error":{"code":"AllocationQuota.FreeTierOnly","message":"The free tier of the model has been exhausted."}}`, quota, ""},
		{"Volcengine's 403", 403, json, `{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance."}}`, quota, ""},
		{"OpenRouter's 403", 403, json, `{"error":{"message":"Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys","code":403}}`, quota, ""},
		{"OpenRouter's 403 of before", 403, json, `{"error":{"message":"Key limit exceeded. Manage it using https://openrouter.ai/keys","code":403}}`, quota, ""},
		{"xAI's 403", 403, json, `{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits or licenses yet."}`, quota, ""},
		{"one-api's 403", 403, json, `{"error":{"message":"user quota is not enough","type":"one_api_error","code":"insufficient_user_quota"}}`, quota, ""},
		{"one-api's 401", 401, json, `{"error":{"message":"该令牌额度已用尽","type":"one_api_error"}}`, quota, ""},
		{"a token's quota", 401, json, `{"error":{"message":"The token quota is exhausted"}}`, quota, ""},
		{"ElevenLabs' 401", 401, json, `{"detail":{"status":"quota_exceeded","message":"This request exceeds your quota."}}`, quota, ""},
		{"LiteLLM's budget", 400, json, `{"error":{"message":"Budget has been exceeded! Current cost: 1, Max budget: 1","type":"budget_exceeded","code":"400"}}`, quota, ""},
		{"Google's billing", 403, json, `{"error":{"code":403,"message":"no","details":[{"reason":"BILLING_DISABLED"}]}}`, quota, ""},
		{"money over a dead key", 403, json, `{"error":{"message":"Your account is suspended due to insufficient balance"}}`, quota, ""},
		{"money over a rate limit", 429, json, `{"error":{"message":"Rate limit exceeded: insufficient credits"}}`, quota, ""},
		{"a trial", 403, json, `{"error":{"message":"Your free trial has expired"}}`, quota, ""},
		{"Google's older APIs", 403, json, `{"error":{"errors":[{"domain":"usageLimits","reason":"dailyLimitExceeded","message":"Daily Limit Exceeded"}],"code":403,"message":"Daily Limit Exceeded"}}`, quota, "Daily Limit"},
		{"a day without an end", 429, json, `{"error":{"message":"Daily quota exceeded","code":"quota_exceeded"}}`, quota, ""},
		{"free credits", 429, json, `{"error":{"message":"Your free credits have been used up."}}`, quota, ""},
		{"the credits of a day", 429, json, `{"error":{"message":"Your daily credits are used up. They reset in 3 hours."}}`, limit, ""},
		{"a week without an end", 429, json, `{"error":"you (nobody) have reached your weekly usage limit"}`, quota, ""},
		{"a week with its end", 429, json, `{"error":"you have reached your weekly usage limit, try again in 5 hours"}`, limit, ""},
		{"a trial key's month", 429, json, `{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}`, quota, ""},
		{"a limit of 0", 429, json, `{"error":{"code":429,"message":"You exceeded your current quota.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: gemini-3-pro\nPlease retry in 25.4s.","status":"RESOURCE_EXHAUSTED"}}`, quota, ""},

		// Limits that pass with time.
		{"Google's minute", 429, json, `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","details":[{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"10"}]}]}}]`, limit, "You exceeded"},
		{"Google's day", 429, json, `{"error":{"message":"You exceeded your current quota","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"36s"}]}}`, quota, ""},
		{"Google's day with its end", 429, json, `{"error":{"message":"You exceeded your current quota","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"25200s"}]}}`, limit, ""},
		{"a day with its end", 429, json, `{"error":{"message":"Daily quota exceeded, try again in 5 hours","code":"quota_exceeded"}}`, limit, ""},
		{"Google's older APIs of a rate", 403, json, `{"error":{"errors":[{"reason":"rateLimitExceeded"}],"code":403,"message":"Rate Limit Exceeded"}}`, limit, ""},
		{"Google's metric", 403, json, `{"error":{"code":403,"message":"Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'x.googleapis.com'"}}`, limit, ""},
		{"Google without details", 429, json, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.\nPlease retry in 36.5s."}}`, limit, ""},
		{"Google of no limit", 429, json, `[{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}]`, limit, "Resource has been exhausted"},
		{"Alibaba's minute", 429, json, `{"error":{"code":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit","type":"insufficient_quota"}}`, limit, ""},
		{"a quota of a minute", 429, json, `{"error":{"message":"Quota exhausted: 10 requests per minute on your plan","code":"quota_exceeded"}}`, limit, ""},
		{"advice to pay", 429, json, `{"detail":"You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM and 10K TPM."}`, limit, ""},
		{"Azure's 403", 403, json, `{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 07:01:20."}`, limit, ""},
		{"GitHub's 403", 403, json, `{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.github.com/rest"}`, limit, ""},
		{"Amazon's 400", 400, json, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, limit, ""},
		{"Moonshot's overload", 429, json, `{"error":{"type":"engine_overloaded_error","message":"The engine is currently overloaded"}}`, overloaded, ""},
		{"Moonshot's limit", 429, json, `{"error":{"type":"rate_limit_reached_error","message":"overloaded: max RPM 3"}}`, limit, ""},

		// Models that are loading.
		{"Hugging Face", 503, json, `{"error":"Model nobody/model is currently loading","estimated_time":20.0}`, loading, ""},
		{"llama.cpp", 503, json, `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, loading, ""},
		{"llama.cpp behind a snap", 503, json, `{"message":"Loading model","type":"unavailable_error","code":503}`, loading, ""},
		{"Ollama", 500, json, `{"error":"llm server loading model"}`, loading, ""},
		{"warming", 503, plain, "The model is warming up", loading, ""},
		{"not ready", 503, json, `{"detail":"Model is not ready, it is still building or deploying"}`, loading, ""},
		{"a state", 503, json, `{"status":"loading model"}`, loading, ""},
		{"a state of one word", 503, json, `{"status":"starting"}`, loading, ""},
		{"weights", 503, json, `{"error":{"message":"Engine is loading weights"}}`, loading, ""},
		{"a model that does not come", 500, json, `{"error":"llama runner process has terminated: error loading model"}`, failure, ""},
		{"a model that fits nowhere", 503, json, `{"error":"model is loading failed: out of memory"}`, failure, ""},
		{"busy", 503, json, `{"detail":{"msg":"Server is busy; please try again later.","type":"service_unavailable"}}`, overloaded, ""},
		{"too many for it", 503, json, `{"error":"too many requests, server is busy"}`, overloaded, ""},
		{"a gateway's limit", 503, json, `{"error":{"message":"Rate limit exceeded","code":"rate_limit_exceeded"}}`, limit, ""},
		{"no word", 503, plain, "", failure, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := complained(tt.form, tt.body)
			if got := c.Means(tt.status); got != tt.want {
				t.Errorf("%d %s: %q, want %q; read as %q", tt.status, tt.body, got, tt.want, c.text)
			}
			switch {
			case tt.message == "-" && c.Message != "":
				t.Errorf("message %q, want none", c.Message)
			case tt.message != "-" && !strings.Contains(c.Message, tt.message):
				t.Errorf("message %q, want %q in it", c.Message, tt.message)
			case tt.form == json && strings.ContainsAny(c.Message, "{}"):
				t.Errorf("message %q has JSON in it", c.Message)
			}
		})
	}
}

// TestComplaint_Admits: an error with a success status is judged by what it says.
func TestComplaint_Admits(t *testing.T) {
	tests := []struct {
		body   string
		want   provider.Reason
		failed bool
	}{
		{`{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}`, provider.Unauthorized, true},
		{`{"error":{"message":"no","code":401}}`, provider.Unauthorized, true},
		{`{"error":{"message":"User not found.","code":"402"}}`, provider.QuotaExhausted, true},
		{`{"error_code":110,"error_msg":"Access token invalid or no longer valid"}`, provider.Unauthorized, true},
		{`{"error_code":18,"error_msg":"Open api qps request limit reached"}`, provider.RateLimited, true},
		{`{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}`, provider.RateLimited, true},
		{`{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, provider.QuotaExhausted, true},
		{`{"base_resp":{"status_code":2049,"status_msg":"invalid api key"}}`, provider.Unauthorized, true},
		{`{"error":"Model x is currently loading"}`, provider.Loading, true},
		{`{"code":401,"msg":"令牌已过期或验证不正确"}`, provider.Unauthorized, false},
		{`{"success":false,"message":"Insufficient credits"}`, provider.QuotaExhausted, true},
		{`{"success":false,"message":"no"}`, "", true},
		{`{"ok":false,"error_code":429,"description":"Too Many Requests"}`, provider.RateLimited, true},
		{`{"error":{"message":"something else"}}`, "", true},
		{`{"status":"ok","message":"hello"}`, "", false},
		{`{"errors":[{"code":7003,"message":"no route"}]}`, "", true},
		{`{"base_resp":{"status_code":0,"status_msg":"success"}}`, "", false},
		{`{"error":null,"errors":[],"models":3}`, "", false},
		{`{"error":false,"message":"hello"}`, "", false},
		{`{"message":"slow down, and listen"}`, "", false},
	}
	for _, tt := range tests {
		c := complained("application/json", tt.body)
		if got := c.Admits(); got != tt.want || c.Failed != tt.failed {
			t.Errorf("%s: %q, an error: %v, want %q, %v", tt.body, got, c.Failed, tt.want, tt.failed)
		}
	}
}

// FuzzComplaint: any body can be read, and the message is bounded.
func FuzzComplaint(f *testing.F) {
	for _, body := range []string{
		`[{"error":{"code":429,"details":[{"retryDelay":"36s"}]}}]`, `{"error":"{\"error\":\"{}\"}"}`, `{"detail":[[[[[[[[1]]]]]]]]}`,
		`"{"`, `[`, "0\x00", "\"\xff\xff\"", `{"error":{"message":"a {\"b\":1} c"}}`, `<a`, `<script>`, `{"error":{"metadata":{"headers":{"":1}}}}`, `{"base_resp":[]}`,
		`{"details":"x","parameters":3,"status":"","code":99999999999999999999}`, "\xff{", `{"message":"retry after 99999999999999999999 hours"}`,
		"\x000", "\"" + strings.Repeat("\xff", 100) + "\"",
	} {
		f.Add(429, body)
	}
	const ours, replaced = 64, len("\uFFFD") // the longest words of our own; what a byte that is no text becomes
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := complained("", body)
		_, _ = c.Means(status), c.Admits()
		if len(c.Message) > replaced*len(body)+ours || len(c.said) > 2*maxSaid+len(body) {
			t.Errorf("%q: said %d bytes, message %d", body, len(c.said), len(c.Message))
		}
	})
}
