package mcp

import (
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// An openCall is a call without an answer.
type openCall struct {
	firm      bool // it cannot be cancelled
	cancelled bool // the client does not want the answer any more
}

// cancelled notes which call a client does not want answered any more. The protocol says that
// its answer should not be sent; the SDK ends the call, and sends it nevertheless.
func (l *lines) cancelled(params json.RawMessage) {
	var named struct {
		RequestID any `json:"requestId"`
	}
	if json.Unmarshal(params, &named) != nil {
		return
	}
	id, err := jsonrpc.MakeID(named.RequestID)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if call, open := l.open[id]; open && !call.firm {
		l.open[id] = openCall{cancelled: true}
	}
}

// wants reports whether the client still wants the answer to a call.
func (l *lines) wants(id jsonrpc.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.open[id].cancelled
}
