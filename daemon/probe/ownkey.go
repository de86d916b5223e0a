package probe

import "strings"

// Vendors mark their keys, so that a key found somewhere can be reported to the right
// vendor (docs.github.com/code-security, supported secret scanning patterns). A mark shows
// whose a key is. A missing mark shows nothing, because older keys have none.

// keyBegins recognises a vendor's keys by how they begin.
func keyBegins(mark string) func(key string) bool {
	return func(key string) bool { return strings.HasPrefix(key, mark) && len(key) > len(mark) }
}

// openaiKey recognises OpenAI's keys by how they begin or, for older ones too, by what is
// in the middle of each: "OpenAI" in base64 (gitleaks, rule openai-api-key).
func openaiKey(key string) bool {
	for _, mark := range []string{"sk-proj-", "sk-svcacct-", "sk-admin-"} {
		if strings.HasPrefix(key, mark) {
			return true
		}
	}
	return strings.HasPrefix(key, "sk-") && strings.Contains(key, "T3BlbkFJ")
}
