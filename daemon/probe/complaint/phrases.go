package complaint

import "strings"

// The words with which vendors, gateways and servers say what is wrong with an account.
// Each is searched in what [plain] makes of an answer, so that "API_KEY_INVALID",
// "InvalidApiKey" and "invalid API key" need one line. A * stands for anything within a
// sentence, and ^ for the beginning of a text. A single word is never enough: OpenAI's
// ordinary rate limit refers to the billing page, and Moonshot says "overloaded" for its
// rate limits.
//
// A page, a file or an issue beside a phrase is its source. A phrase with only the name of
// a vendor, or with nothing, is only reported: nobody has checked it there.

// moneyPhrases are about a balance, a budget or a bill: waiting does not help.
var moneyPhrases = []string{
	"insufficient balance",                                                                            // DeepSeek api-docs.deepseek.com/quick_start/error_codes; MiniMax errorcode 1008
	"insufficient account balance",                                                                    // gateways; reported only
	"insufficient credit",                                                                             // OpenRouter openrouter.ai/docs/api-reference/errors; Replicate
	"insufficient fund",                                                                               // gateways; reported only
	"balance is insufficient",                                                                         // SiliconFlow; reported only
	"not enough balance",                                                                              // Novita's NOT_ENOUGH_BALANCE; reported only
	"balance not enough",                                                                              // Jina; reported only
	"balance is not enough",                                                                           // the same
	"balance is negative",                                                                             // AssemblyAI; reported only
	"balance is too low",                                                                              // Anthropic
	"credit balance",                                                                                  // Anthropic docs.anthropic.com/en/api/errors; OpenAI's credit_balance_exhausted
	"credit limit is insufficient",                                                                    // new-api; reported only
	"balance insufficient", "balance too low", "low balance", "outstanding balance", "unpaid invoice", // reported only
	"no credits", "no remaining credits", "credits exhausted", "credits have been exhausted", "out of funds",
	"payment required",
	"subscription has expired", "subscription expired", "trial has expired", "trial expired", "trial has ended", "plan has expired",
	"spending cap", "spend cap",
	"run out of credits",                             // reported only
	"out of credit",                                  // several; reported only
	"not have enough credit",                         // several; reported only
	"lack sufficient credit",                         // Stability; reported only
	"requires more credits",                          // OpenRouter, 402
	"have any credits or licenses",                   // xAI, 403; reported only
	"used all available credits",                     // xAI, 403 (warpdotdev/warp issue 14863)
	"credits are depleted",                           // Google (dyad-sh/dyad issue 3626)
	"credits expired",                                // NVIDIA, 402; the same under 403 reported only
	"credit limit exceeded",                          // Together, 402; the same under others reported only
	"bill is overdue", "commodity has not purchased", // Alibaba, 429; reported only
	"package has expired",                              // Z.ai docs.z.ai/api-reference/api-code 1309
	"monthly included credits",                         // Hugging Face huggingface.co/docs/inference-providers/pricing
	"budget has been exceeded",                         // LiteLLM litellm/exceptions.py BudgetExceededError
	"exceeded budget",                                  // LiteLLM, ExceededBudget
	"budget exceeded",                                  // LiteLLM ProxyErrorTypes.budget_exceeded
	"account is not active, please check your billing", // OpenAI billing_not_active
	"billing disabled",                                 // Google google/api/error_reason.proto BILLING_DISABLED
	"requires billing to be enabled",                   // Google, its prose
	"billing hard limit",                               // OpenAI
	"overdue balance",                                  // Volcengine (coze-dev/coze-studio issue 2195)
	"account overdue error", "overdue account",         // its code; RooCodeInc/Roo-Code issue 12309
	"account is in good standing",                     // Alibaba help.aliyun.com/en/model-studio/error-code Arrearage
	"key limit exceeded (",                            // OpenRouter, 403: what the key may spend (MCPJam/inspector issue 1287)
	"key limit exceeded. manage",                      // the same before (RooCodeInc/Roo-Code issue 515)
	"api usage limits",                                // Anthropic: the organization's own spend limit
	"free tier of the model has been exhausted",       // Alibaba AllocationQuota.FreeTierOnly
	"free tier only", "free allocated quota exceeded", // its code; Alibaba
	"insufficient g1 credits balance",                     // Google (google-gemini/gemini-cli googleQuotaErrors.ts)
	"user quota is not enough", "insufficient user quota", // one-api relay/controller (songquanpeng/one-api)
	"token quota is not enough", "pre consume token quota failed",
	"余额不足", "额度不足", "额度已用尽", "已欠费", // one-api model/token.go, MiniMax, Zhipu
}

// advicePhrases are about money if nothing is said about a rate. Beside a rate they only
// advise to pay for a higher one.
var advicePhrases = []string{
	"please top up", "please recharge", "top up your", // reported only
	"spend limit",    // OpenAI, Groq console.groq.com/docs/spend-limits
	"spending limit", // xAI, Together; Fireworks (amd/gaia issue 3766)
}

// quotaPhrases are about a quota, which usually means money, and sometimes only the
// requests per minute, as other words beside them show.
var quotaPhrases = []string{
	"exceeded your current quota", // OpenAI insufficient_quota; Google of every limit
	"insufficient quota",          // OpenAI; Alibaba of the tokens of a minute too
	"quota is exhausted",          // gateways; reported only
	"quota exhausted",             // Google Code Assist QUOTA_EXHAUSTED
	"quota has been exhausted",    // gateways; reported only
	"quota is used up",            // the same
	"quota has been used up",      // the same
	"token quota reached",         // watsonx's token_quota_reached; reported only
	"credits * used up",           // reported only
	"monthly limit",               // Together, Mistral; in 429 only of plans
	"monthly quota",
	"api calls / month",                         // Cohere's trial keys docs.cohere.com/docs/rate-limits
	"monthly usage limit", "weekly usage limit", // reported only
	"allocation of 10,000 neurons", // Cloudflare Workers AI; reported only
}

// passingPhrases show that a quota is for a short time, so that waiting helps, whatever
// else the answer says.
var passingPhrases = []string{
	"per min", "perminute", "/minute", "/min ", "(rpm)", "(tpm)",
	"per second", "persecond", "/second", "per hour", "perhour",
	"throttling.",   // Alibaba Throttling.RateQuota, .AllocationQuota, .BurstRate
	"requests list", // Alibaba: "You exceeded your current requests list"
}

// dayPhrases are about a quota per day or week. Waiting helps if the answer says when it
// ends.
var dayPhrases = []string{"per day", "perday", "/day", "daily", "today", "24 hours", "weekly", "per week"}

// deadKeyPhrases are about the key itself, or its account.
var deadKeyPhrases = []string{
	"invalid api key", "api key is invalid", "api key invalid", "invalid * api key provided", // OpenAI, Mistral, Anthropic's "invalid x-api-key"
	"invalid x api key",
	"incorrect api key",                         // OpenAI, xAI
	"api key not valid", "api key is not valid", // Google
	"pass a valid api key", "api key not found", // Google
	"make sure your api key is valid",                              // Amazon Bedrock; reported only
	"wrong api key",                                                // Cerebras
	"missing authorization header", "invalid authorization header", // Google's OpenAI-compatible address, 400 (NVIDIA/NemoClaw issue 2093, microsoft/vscode issue 260825)
	"the token seems invalid",     // Hugging Face, 400 (lobehub/lobe-chat packages/model-runtime)
	"api key provided is invalid", // gateways; reported only
	"api key * expired", "api key * revoked", "api key * leaked", "api key * compromised", "leaked api key", "compromised api key",
	"api key * suspended", "api key * deactivated", "invalid proxy server token", // LiteLLM
	"malformed api key", "api key is malformed", "api key malformed",
	"api key expired", "api key has expired", "api key is expired", "expired api key", // Google, LiteLLM
	"expired key", "key has expired", "key is expired", "key expired", // LiteLLM litellm/proxy/_types.py expired_key
	"token has expired", "token is expired", "token expired", "expired token", // Amazon, watsonx, OAuth 2.0
	"access token invalid", "invalid access token", "invalid bearer token", // Baidu, Databricks, Alibaba
	"security token included in the request is",                   // Amazon: "invalid", "expired"
	"reported as leaked", "key was leaked", "key has been leaked", // Google ai.google.dev/gemini-api/docs/troubleshooting
	"key has been revoked", "key was revoked", "key is revoked", "revoked api key", "key revoked",
	"token has been revoked", "token was revoked", "token revoked",
	"key has been suspended", "key is suspended", "key suspended",
	"consumer * has been suspended", "consumer suspended", // Google CONSUMER_SUSPENDED
	"key has been disabled", "key is disabled", "key was disabled", "key disabled",
	"key has been deactivated", "key is deactivated", "key is inactive", "key deactivated",
	"key has been deleted", "key was deleted",
	"missing api key", "no api key", "api key is missing", "api key is required", "api key required", "api key missing",
	"provide an api key", "unregistered callers", // OpenAI; Google's 403 without a key
	"invalid authentication",                              // Kong, Moonshot
	"无效的令牌", "令牌已过期", "令牌状态不可用", "无效的 token", "token 已过期", // one-api model/token.go
	"无效的api key", "无效的 api key", "api key 无效", "api key 已过期", "api key 错误", // reported only
}

// refusedKeyPhrases are about the key if the status is 403. Under other statuses they may
// be about a request's syntax or somebody else's key: a gateway's database says
// "authentication failed" too.
var refusedKeyPhrases = []string{
	"authentication failed",          // Amazon
	"could not validate credentials", // FastAPI's tutorial, which many copy
	"invalid token", "token is invalid", "token invalid", "invalid credentials", "bad credentials",
}

// deadAccountPhrases are about the account of the key. A page with them is about somebody's
// web space.
var deadAccountPhrases = []string{
	"account deactivated", "account has been deactivated", "account is deactivated", "account associated * deactivated", // OpenAI (ChatGPTNextWeb/NextChat issue 2782)
	"user has been banned", "user is banned", "用户已被封禁", // one-api middleware/auth.go
	"deactivated account", // OpenAI (Zero6992/chatGPT-discord-bot issue 442)
	"account has been suspended", "account is suspended", "account has been disabled", "account is disabled", "account suspended",
}

// shutOutPhrases are about an organization that may not use the API at all, with any key.
var shutOutPhrases = []string{
	"organization has been disabled", // Anthropic (anthropics/claude-code issue 8327)
	"organization restricted",        // Groq organization_restricted
	"organization has been restricted",
	"only authorized for use with",                                    // Anthropic, for a subscription's token
	"not available in your country", "user location is not supported", // OpenAI, Google
	"country, region, or territory not supported",
}

// limitPhrases are about rate limits, if the status does not say so.
var limitPhrases = []string{
	"rate limit is exceeded", "rate limit reached", "exceeded the rate limit", // GitHub docs.github.com/rest (403), Azure
	"rate limit exceeded", "secondary rate limit", "ratelimitexceeded", "userratelimitexceeded", // Google APIs (403)
	"out of call volume quota",             // Azure API Management quota policy (403), with the time of its end
	"request was throttled",                // Django REST framework, which Replicate uses
	"throttlingexception", "rate exceeded", // Amazon (400)
	"too many requests",
	"quota exceeded for quota metric", "quota exceeded for metric", // Google APIs (403)
	"request limit reached", "requests limit reached", // Baidu, under 200
	"usage limit exceeded", "usage limit reached", "reached your * usage limit", // MiniMax 2056; Kimi's plans, 403: reported only
}

// loadingPhrases say that a model is being loaded.
var loadingPhrases = []string{
	"is currently loading", "model * is loading", // Hugging Face (huggingface/huggingface_hub), and what copies it
	"^loading model",           // llama.cpp tools/server; so llamafile, Jan, Docker Model Runner, llama-swap
	"llm server loading model", // Ollama llm/server.go (IceWhaleTech/ZimaOS issue 466)
	"still being loaded",       // OpenAI help.openai.com, article 6643004
	"model is loading", "model is still loading", "models are loading", "model loading", "models are still loading",
	"model is being loaded", "models are being loaded", "loading the model", "still loading",
	"model is warming up", "is warming up", // Hugging Face's endpoints
	"is initializing", "still initializing", "endpoint is starting", "model is starting", "server is starting",
	"model is not ready", "model not ready", "model is not yet ready", "model is not loaded yet", // Baseten, KServe, TorchServe
	"is starting up", "still starting", "being loaded", "loading weights", "loading checkpoint",
	"model is downloading", "downloading the model", "downloading model", "is being downloaded",
	"warm up in progress", "warmup in progress",
	"model is waking up", "is waking up", "currently scaling", // vLLM entrypoints/serve/elastic_ep
	"deployment scaling up", "is scaling up", // Fireworks DEPLOYMENT_SCALING_UP; reported only
}

// brokenPhrases are about a model that failed to load; without them the words would mean a
// loading one.
var brokenPhrases = []string{
	"error loading", "failed to load", "failed loading", "failure loading", "could not load", "cannot load",
	"unable to load", "error while loading", "loading failed", "load failed", "exception while loading", "out of memory", "terminated",
	"loading is disabled", "runtimeerror", "valueerror", "traceback", "mismatch", "took too long",
}

// overloadPhrases are about the vendor's capacity, and not about this account.
var overloadPhrases = []string{
	"overloaded", "over capacity", "at capacity", "capacity exceeded", "too busy", "server busy", "server is busy",
	"slow down",
}

// plain is a text in the form for finding phrases: lower case, with one blank for several
// blanks, hyphens or underlines, and one name for a key.
func plain(s string) string {
	s = strings.ToLower(s)
	s = spellings.Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

var spellings = strings.NewReplacer(
	"csrf token", "csrf", "xsrf token", "xsrf", "page token", "page", "kms key", "kms", "encryption key", "encryption", // not ours
	"_", " ", "-", " ", "’", "'", "apikey", " api key", "api token", "api key", "access key", "api key", "secret key", "api key",
	"overdueerror", " overdue error", "exceededbudget", "exceeded budget", "exceededtokenbudget", "exceeded budget",
	"freetieronly", " free tier only ", "令牌 ", "令牌",
)

// Says reports whether the complaint has one of the phrases.
func (c *Complaint) Says(phrases []string) bool {
	for _, phrase := range phrases {
		if saysPhrase(c.text, phrase) {
			return true
		}
	}
	return false
}

// SaysOverloaded reports whether it is about the vendor's capacity, and not about this
// account.
func (c *Complaint) SaysOverloaded() bool { return c.Says(overloadPhrases) }

// farthest is how many bytes a * and what follows it may take. The end of the sentence is a
// limit too.
const farthest = 80

func saysPhrase(text, phrase string) bool {
	if start, ok := strings.CutPrefix(phrase, "^"); ok {
		return strings.HasPrefix(text, start) || strings.Contains(text, "| "+start)
	}
	before, after, open := strings.Cut(phrase, "*")
	for {
		_, rest, found := strings.Cut(text, before)
		if !found || !open {
			return found
		}
		within, _, _ := strings.Cut(rest[:min(len(rest), farthest)], ". ")
		within, _, _ = strings.Cut(within, " | ")
		if strings.Contains(within, after) {
			return true
		}
		text = rest
	}
}
