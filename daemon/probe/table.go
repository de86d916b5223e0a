package probe

// table lists every kind, in the order of the documentation.
var table = []*kind{
	&ollama,
	&lmstudio,
	&llamacpp,
	&vllm,
	&sglang,
	&tgi,
	&localai,
	&koboldcpp,
	&textgen,
	&jan,
	&litellm,
	&nim,
	&triton,
	&openaiCompatible,
	&openai,
	&anthropic,
	&httpService,
	&tcpService,
	&plugin,
	&systemdUnit,
}
