package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"unicode/utf8"

	"github.com/providerd/providerd/store/provider"
)

// Bounds of a list of models, before it is compressed.
const (
	maxModelsText  = 1 << 20
	maxModelsCount = 5000
	maxAliases     = 16
	hashLength     = 24
)

// EncodeModels returns the value of models/<fp>, and its hash for the row. If the list is too
// long, or has names that do not show, it is left out whole: ok is false, because half a list
// would say that the other models are not there.
func EncodeModels(models []provider.Model) (value []byte, hash string, ok bool) {
	if !modelsShow(models) {
		return nil, "", false
	}
	text := encode(models)
	if models == nil {
		text = []byte("[]")
	}
	if len(text) > maxModelsText {
		return nil, "", false
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	_ = z.Close()
	if b.Len() > MaxModels {
		return nil, "", false
	}
	return b.Bytes(), hashOf(text), true
}

// ParseModels reads a list of models that has the hash of its row. Never nil without an error.
func ParseModels(value []byte, hash string) ([]provider.Model, error) {
	if len(value) > MaxModels {
		return nil, ErrUnbelievable
	}
	z, err := gzip.NewReader(bytes.NewReader(value))
	if err != nil {
		return nil, ErrUnbelievable
	}
	text, err := io.ReadAll(io.LimitReader(z, maxModelsText+1))
	if err != nil || len(text) > maxModelsText || hashOf(text) != hash || !utf8.Valid(text) || deep(text) {
		return nil, ErrUnbelievable
	}
	models := []provider.Model{}
	if json.Unmarshal(text, &models) != nil || models == nil || !modelsShow(models) {
		return nil, ErrUnbelievable
	}
	return models, nil
}

func modelsShow(models []provider.Model) bool {
	if len(models) > maxModelsCount {
		return false
	}
	for i := range models {
		m := &models[i]
		if !isText(m.ID, maxModel) || len(m.Aliases) > maxAliases || len(names(m.Aliases)) != len(m.Aliases) ||
			m.Family != "" && !isText(m.Family, maxModel) || m.Quantization != "" && !isText(m.Quantization, maxModel) ||
			m.Size < 0 || m.ContextLength < 0 {
			return false
		}
	}
	return true
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:hashLength]
}

func isHash(s string) bool { return isWord(s, hashLength, "") && len(s) == hashLength }
