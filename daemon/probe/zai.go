package probe

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/loose"
	"github.com/providerd/providerd/store/provider"
)

// zai is Z.ai's API, the general one: a key of a coding plan wants base_url =
// "https://api.z.ai/api/coding/paas/v4". Errors have a number of its own, under any status
// (docs.z.ai/api-reference/api-code). The list is OpenAI's; the reference does not mention
// it.
var zai = kind{
	Kind: config.Kind{
		Name:      "zai",
		Type:      provider.Cloud,
		BaseURL:   "https://api.z.ai/api/paas/v4",
		OpenAI:    "/",
		KeyEnv:    []string{"ZAI_API_KEY"},
		KeyNeeded: true,
	},
	title:  "Z.ai",
	path:   "/models",
	accept: openaiList,
	except: zaiError,
}

// zaiCodes are the codes that are about the account and not about a request.
var zaiCodes = map[int]provider.Reason{
	401:  provider.Unauthorized,   // not in the reference: a token that is wrong, under 200
	1000: provider.Unauthorized,   // authentication failed
	1001: provider.Unauthorized,   // no key was received
	1002: provider.Unauthorized,   // the key is not valid
	1003: provider.Unauthorized,   // the key has expired
	1004: provider.Unauthorized,   // the key was not accepted
	1110: provider.Forbidden,      // the account is inactive
	1111: provider.Forbidden,      // the account does not exist
	1112: provider.Forbidden,      // the account is locked
	1113: provider.QuotaExhausted, // the balance is used up
	1121: provider.Forbidden,      // the account is locked for what it did
	1220: provider.Forbidden,      // no permission for this API
	1302: provider.RateLimited,    // too many requests at once
	1303: provider.RateLimited,    // too many requests per time
	1304: provider.QuotaExhausted, // the day's calls are used up
	1305: provider.RateLimited,    // a limit of the API
	1308: provider.RateLimited,    // the plan's limit for some hours
	1309: provider.QuotaExhausted, // the plan has run out
	1310: provider.QuotaExhausted, // the plan's limit for the week or the month
	1312: provider.Overloaded,     // too many requests for this model
}

// zaiError reads {"error": {"code": "1113", "message": …}} and {"code": 401,
// "msg": …, "success": false}.
func zaiError(a *answer) finding {
	var body struct {
		Error struct {
			Code    json.RawMessage `json:"code"`
			Message string          `json:"message"`
		} `json:"error"`
		Code    json.RawMessage `json:"code"`
		Message string          `json:"msg"`
	}
	if !a.decode(&body) {
		return finding{}
	}
	code, message := body.Error.Code, body.Error.Message
	if code == nil {
		code, message = body.Code, body.Message
	}
	n := zaiNumber(code)
	saw, ok := zaiCodes[n]
	if !ok {
		return finding{}
	}
	return finding{saw: saw, detail: fmt.Sprintf("%s: code %d: %s", a.statusLine(), n, message)}
}

// zaiNumber is a code's number, which may be written as a string; 0 if it is not one.
func zaiNumber(code json.RawMessage) int {
	text := string(code)
	if w := loose.Word(code); w != "" {
		text = w
	}
	n, _ := strconv.Atoi(text) // 0 is no code
	return n
}
