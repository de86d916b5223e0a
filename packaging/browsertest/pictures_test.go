package browsertest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pictures is where the script screenshots wants its pictures, if it runs this.
var pictures = flag.String("pictures", "", "take pictures of the dashboard into this `folder`; only in the network of the script screenshots")

// The widths and heights at which every view is taken. The first is that of the pictures in docs.
var pictureSizes = []struct{ width, height int64 }{{1280, 540}, {360, 740}, {768, 1024}, {3840, 1200}}

// Pictures of every view, at four widths, in both schemes, of a daemon whose providers are at
// their vendors' usual addresses and in the states that a person meets.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("packaging/browsertest/screenshots runs this")
	}
	d := startStudio(t)
	board := d.startDashboard()
	for _, scheme := range []string{"light", "dark"} {
		w := newTab(t)
		w.prefer(scheme)
		for i, size := range pictureSizes {
			w.size(size.width, size.height, 1)
			for name, path := range map[string]string{"overview": "", "running": "providers/ollama", "failing": "providers/anthropic", "models": "models", "events": "events", "daemon": "daemon"} {
				w.watchLive(board.url + path)
				w.until(`document.querySelector("#live-text").textContent.includes("live")`)
				file := fmt.Sprintf("%s-%d-%s.png", name, size.width, scheme)
				if i == 0 && name == "overview" {
					file = "dashboard-" + scheme + ".png"
				}
				w.picture(filepath.Join(*pictures, file))
			}
		}
		w.size(1280, 480, 1)
		w.watchLive(board.url)
		w.press("R")
		w.until(`document.querySelector("#toasts").textContent.includes("can be used")`)
		w.picture(filepath.Join(*pictures, "toast-1280-"+scheme+".png"))
		w.press("?")
		w.until(`document.querySelector("#help").open`)
		w.picture(filepath.Join(*pictures, "help-1280-"+scheme+".png"))
	}
}

// picture writes what the window shows.
func (w *tab) picture(file string) {
	w.t.Helper()
	shot, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		shot, err = smaller(shot)
	}
	if err == nil {
		err = os.WriteFile(file, shot, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// smaller writes a picture with a palette if it has few colours, which loses nothing.
func smaller(shot []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	var palette color.Palette
	places := map[color.Color]uint8{}
	box := full.Bounds()
	small := image.NewPaletted(box, nil)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := full.At(x, y)
			place, known := places[c]
			if !known && len(palette) == 256 {
				return shot, nil
			}
			if !known {
				place = uint8(len(palette))
				places[c], palette = place, append(palette, c)
			}
			small.Pix[small.PixOffset(x, y)] = place
		}
	}
	small.Palette = palette
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&b, small)
	return b.Bytes(), err
}

// startStudio starts a daemon with providers at their usual addresses, which only the network
// of the script has.
func startStudio(t *testing.T) *daemon {
	ca, certificate := authority(t, "api.openai.com", "api.anthropic.com", "api.groq.com")
	serveAt(t, "127.0.0.1:11434", nil, ollama(qwen, llama, minilm))
	serveAt(t, "127.0.0.1:1234", nil, lmstudio)
	serveAt(t, "127.0.0.1:8080", nil, llamacppLoading)
	serveAt(t, "192.0.2.10:443", certificate, func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case "api.openai.com":
			openaiLimited(w, r)
		case "api.anthropic.com":
			anthropicRejected(w, r)
		default:
			pages(map[string]string{"/openai/v1/models": `{"object":"list","data":[{"id":"llama-3.3-70b-versatile","object":"model","active":true,"context_window":131072},
				{"id":"openai/gpt-oss-120b","object":"model","active":true,"context_window":131072}]}`})(w, r)
		}
	})
	config := "[defaults]\ninterval = \"1s\"\n"
	for _, kind := range []string{"ollama", "lmstudio", "llamacpp", "vllm"} {
		config += fmt.Sprintf("[[provider]]\nid = %q\nkind = %q\n", kind, kind)
	}
	for _, kind := range []string{"openai", "anthropic", "groq"} {
		config += fmt.Sprintf("[[provider]]\nid = %q\nkind = %q\nca_file = %q\napi_key_env = \"STUDIO_KEY\"\nstatus_feed = false\n", kind, kind, ca)
	}
	d := startDaemon(t, config, "STUDIO_KEY=test-key-of-nobody")
	want := map[string]string{"ollama": "RUNNING", "lmstudio": "RUNNING", "groq": "RUNNING", "llamacpp": "STARTING", "vllm": "STOPPED", "openai": "DEGRADED", "anthropic": "ERROR"}
	for _, r := range d.settled() {
		if r.State != want[r.ID] {
			t.Fatalf("%s is %s, %s: %s", r.ID, r.State, r.Reason, r.Detail)
		}
	}
	until(t, "there is some history", func() bool {
		var history struct {
			Seconds map[string]float64 `json:"state_seconds"`
		}
		d.ask("GET", "/api/providers/ollama/history", &history)
		return history.Seconds["RUNNING"] > 3
	})
	return d
}

// serveAt starts a server at a fixed address.
func serveAt(t *testing.T, addr string, certificate *tls.Certificate, answers http.HandlerFunc) {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}})
	}
	running := &http.Server{Handler: answers}
	go func() { _ = running.Serve(listener) }()
	t.Cleanup(func() { _ = running.Close() })
}

// authority is a file with a certificate authority, and a certificate that it signed for some names.
func authority(t *testing.T, names ...string) (file string, certificate *tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
