package control

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/providerd/providerd/store/provider"
)

// openAPI describes every route and reply. A test generates it from the routes and the
// types of store/provider, and fails if it is out of date:
//
//	go test ./daemon/control -run OpenAPI -update
//
//go:embed openapi.json
var openAPI []byte

// compactAPI is openAPI without the white space, which is for reviewers. It is made on the
// first request, and kept.
var compactAPI = sync.OnceValues(func() ([]byte, error) {
	var b bytes.Buffer
	err := json.Compact(&b, openAPI)
	b.WriteByte('\n')
	return b.Bytes(), err
})

// describe answers GET /api/openapi.json.
func (s *Server) describe(c *call) *provider.Error {
	body, err := compactAPI()
	if err != nil {
		return asError(err)
	}
	writeBody(c, http.StatusOK, body)
	return nil
}
