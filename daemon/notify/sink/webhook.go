package sink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A webhook posts notices as JSON, with the headers of Standard Webhooks
// (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
type webhook struct {
	*poster
	to    *receiver
	key   []byte // of the signature; nil: none
	texts *texts
}

func newWebhook(n *config.Notify, o *Options, t *texts, read bool) (Sink, error) {
	to, err := receiverOf(n, o, read)
	if err != nil || !read {
		return nil, err
	}
	w := &webhook{poster: newPoster(o, to.url, to.secrets()...), to: to, texts: t}
	if n.SecretFile != "" {
		if w.key, err = signingKey(to.sign); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// signingKey is the key in a secret: base64 after whsec_, and otherwise the text itself.
func signingKey(secret string) ([]byte, error) {
	code, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		key, err = base64.RawStdEncoding.DecodeString(code)
	}
	if err != nil || len(key) == 0 {
		return nil, &config.SettingError{
			Setting: "secret_file", Problem: "what follows whsec_ is not base64",
			Fix: "write whsec_ and the key in base64, or another text without whsec_",
		}
	}
	return key, nil
}

func (w *webhook) Deliver(ctx context.Context, n *provider.Notice) error {
	told := *n
	if w.texts.given() {
		told.Title, told.Body = w.texts.of(n)
	}
	body, err := json.Marshal(&told)
	if err != nil {
		return err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	stamp(h, n.ID, w.key, time.Now(), body)
	if w.to.token != "" {
		h.Set("Authorization", "Bearer "+w.to.token)
	}
	return w.send(ctx, http.MethodPost, w.to.url.String(), h, body)
}

// stamp adds the headers by which a receiver knows the message, its age and its sender. The
// time is that of this try, so that a receiver that refuses old requests takes a late one.
func stamp(h http.Header, id string, key []byte, now time.Time, body []byte) {
	at := strconv.FormatInt(now.Unix(), 10)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", at)
	if key == nil {
		return
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
