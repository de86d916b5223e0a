package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// These vendors show their model list to everybody, and have no request at the same address
// that proves a key and costs nothing. They are up if the list comes; whether the key works
// is not known, and the row says so. If the key is rejected all the same, the row says
// that.

// huggingface is the router of Hugging Face's inference providers
// (huggingface.co/docs/inference-providers). What proves a token,
// huggingface.co/api/whoami-v2, is on another host, and must not be called often: its rate
// limit is "intentionally strict" (huggingface/huggingface_hub
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

// nvidia is NVIDIA's API catalog (docs.api.nvidia.com). Its list needs no key
// (langchain-ai/langchain-nvidia, issue 92), and includes models that an account may not
// use. Only inference proves a key.
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

// publicList reads OpenAI's list if anybody may read it.
func publicList(a *answer) (Facts, bool) {
	facts, ok := openaiList(a)
	if facts.Note == "" {
		facts.Note = "its model list is public, so the key is not proven"
	}
	return facts, ok
}
