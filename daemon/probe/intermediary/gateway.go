package intermediary

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// gatewayWords are how gateways for models say that the server behind them is not there.
// Their errors look like a model server's. Sources: BerriAI/litellm litellm/exceptions.py
// and litellm/router.py, QuantumNous/new-api service/error.go and
// middleware/distributor.go, thushan/olla internal/app/handlers, Portkey-AI/gateway,
// open-webui/open-webui backend/open_webui/routers, and Go's and Node's own words for a
// refused connection.
var gatewayWords = []string{
	"serviceunavailableerror:", "apiconnectionerror:", "no deployments available", "no healthy deployment", "badgatewayerror:",
	"no available channel", "无可用渠道", "no healthy upstream", "no healthy endpoints", "endpoints available", "no available backend",
	"no healthy backend", "upstream connect error", "upstream request timeout", "upstream is unavailable", "upstream unavailable", "upstream server",
	"server connection error", "bad gateway", "connect: connection refused", "econnrefused", "connection refused", "all connection attempts failed",
	"connection error", "litellm.internalservererror", "litellm.timeout", "cannot connect to host", "failed to connect to upstream", "backend unavailable", "backend is unavailable", "no such host", "enotfound", "gateway timeout",
}

// gateway recognises a server that forwards requests and says that the server behind it is
// not there. A vendor's own API does not count, nor does a kind that is a gateway itself.
func (a *Answer) gateway(m Meant) Speaker {
	c := a.Said
	if m.Type != provider.Local || m.Gateway || a.Status < 500 && a.Status != 404 || a.Status == 501 {
		return Speaker{}
	}
	if !c.Says(gatewayWords) || c.SaysOverloaded() {
		return Speaker{}
	}
	who := Front(a.Header)
	if a.isLiteLLMs() || c.Says([]string{"litellm."}) {
		who = "LiteLLM"
	}
	if who == "" {
		who = someGateway
	}
	return Speaker{who, reachesNobody}
}

// isLiteLLMs reports whether LiteLLM sent the headers.
func (a *Answer) isLiteLLMs() bool {
	for name := range a.Header {
		if strings.HasPrefix(name, "X-Litellm-") {
			return true
		}
	}
	return false
}
