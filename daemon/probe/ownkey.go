package probe

import "strings"

// Vendors mark their keys, so that those who find one know whom to tell
// (docs.github.com/code-security, supported secret scanning patterns). A mark tells
// whose a key is; that a key has none tells nothing, as older ones do not.

// keyBegins knows a vendor's keys by how they begin.
func keyBegins(mark string) func(key string) bool {
	return func(key string) bool { return strings.HasPrefix(key, mark) && len(key) > len(mark) }
}

// openaiKey knows OpenAI's keys by what they begin with or, older ones too, by what is in
// the middle of each: "OpenAI" in base64 (gitleaks, rule openai-api-key).
func openaiKey(key string) bool {
	for _, mark := range []string{"sk-proj-", "sk-svcacct-", "sk-admin-"} {
		if strings.HasPrefix(key, mark) {
			return true
		}
	}
	return strings.HasPrefix(key, "sk-") && strings.Contains(key, "T3BlbkFJ")
}
