package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

//go:embed assets/*.js assets/*.css
var assetFiles embed.FS

// The types of assets, which are text.
var assetTypes = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

// assets are the scripts and styles, in a folder named after their common hash, so that scripts
// can import each other by plain names, and versions are never mixed.
type assets struct {
	hash  string
	files map[string][]byte
}

func embeddedAssets() assets {
	a := assets{files: map[string][]byte{}}
	sum := sha256.New()
	names, _ := fs.Glob(assetFiles, "assets/*") // the pattern is valid
	for _, name := range names {
		text, _ := assetFiles.ReadFile(name) // it is in the program
		a.files[path.Base(name)] = text
		sum.Write([]byte(name + "\x00"))
		sum.Write(text)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil)[:8])
	return a
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	text, ok := a.files[r.PathValue("file")]
	if !ok || r.PathValue("hash") != a.hash {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(r.PathValue("file"))])
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(text)
}
