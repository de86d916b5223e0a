package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// These vendors show their model list to everybody, and have no request at the
// same address that would prove a key and cost nothing. They are up when the list
// comes; that the key works is not known, and the row says so. A key that is
// rejected all the same is, of course.

// huggingface is the router of Hugging Face's inference providers
// (huggingface.co/docs/inference-providers). What proves a token,
// huggingface.co/api/whoami-v2, is on another host, and must not be asked often:
// its rate limit is "intentionally strict" (huggingface/huggingface_hub
// src/huggingface_hub/hf_api.py whoami).
var huggingface = kind{
	Kind: config.Kind{
		Name:      "huggingface",
		Type:      provider.Cloud,
		BaseURL:   "https://router.huggingface.co/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"HF_TOKEN"},
		OwnKey:    keyBegins("hf_"),
		KeyNeeded: true,
	},
	title:  "Hugging Face",
	path:   "/models",
	accept: publicList,
}

// nvidia is NVIDIA's API catalog (docs.api.nvidia.com). Its list wants no key
// (langchain-ai/langchain-nvidia, issue 92), names models that an account may not
// use, and nothing but inference proves a key.
var nvidia = kind{
	Kind: config.Kind{
		Name:      "nvidia",
		Type:      provider.Cloud,
		BaseURL:   "https://integrate.api.nvidia.com/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"NVIDIA_API_KEY"},
		OwnKey:    keyBegins("nvapi-"),
		KeyNeeded: true,
	},
	title:  "NVIDIA",
	path:   "/models",
	accept: publicList,
}

// publicList is OpenAI's list where anybody may read it.
func publicList(a *answer) (Facts, bool) {
	facts, ok := openaiList(a)
	if facts.Note == "" {
		facts.Note = "its model list is public, so the key is not proven"
	}
	return facts, ok
}
