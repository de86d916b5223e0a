package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/spelling"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxAnswer      = 16 << 10 // bytes of an answer that are read
	maxHeader      = 64 << 10
	maxError       = 200 // bytes of an error
	longestLater   = 24 * time.Hour
	longestRequest = 30 * time.Second // the engine ends a delivery sooner or then
	answerWithin   = time.Second      // for the body of an answer, once its status is known
)

// A poster sends requests to one receiver.
type poster struct {
	client  *http.Client
	agent   string
	secrets *spelling.Secrets // of the receiver, and of a proxy on the way
}

// newPoster makes a client that follows no redirect, because messages and tokens go only where the
// configuration says. It keeps no connection, because the next message is hours away. For a
// receiver on this machine it uses no proxy and no resolver. Errors do not show the secrets.
func newPoster(o *Options, to *url.URL, secrets ...string) *poster {
	dial, proxyFor := o.Dial, o.Proxy
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	if host := to.Hostname(); config.IsLoopback(host) {
		proxyFor = func(*http.Request) (*url.URL, error) { return nil, nil }
		if config.IsLocalhost(host) { // a resolver may know another api.localhost
			dial = onThisMachine(dial)
		}
	}
	t := &http.Transport{
		Proxy:                  proxyFor,
		DialContext:            dial,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
		OnProxyConnectResponse: proxyAnswered,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	secrets = append(secrets, spelling.InURL(to)...)
	if proxy, err := proxyFor(&http.Request{Method: http.MethodPost, URL: to}); err == nil && proxy != nil {
		secrets = append(secrets, spelling.InURL(proxy)...)
	}
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return &poster{
		client: &http.Client{
			Transport:     t,
			Timeout:       longestRequest,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		agent:   o.UserAgent,
		secrets: spelling.New(secrets),
	}
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// onThisMachine dials the port at localhost, whatever the name.
func onThisMachine(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return dial(ctx, network, net.JoinHostPort("localhost", port))
	}
}

// proxyAnswered reports a proxy's refusal without its text, which could repeat the password
// that it was sent.
func proxyAnswered(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy %s answered %d %s", proxy.Host, res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}

// send sends a body, and returns what [Sink.Deliver] does.
func (p *poster) send(ctx context.Context, method, to string, header http.Header, body []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return &RefusedError{p.clean("the address cannot be used")}
	}
	req.Header = header
	req.Header.Set("User-Agent", p.agent)
	res, err := p.client.Do(req)
	if err != nil {
		return errors.New(p.clean(plainError(err)))
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 2 {
		return nil // whatever it says, and however slowly
	}
	slow := time.AfterFunc(answerWithin, cancel)
	defer slow.Stop()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // the status counts; this is for people
	return p.judge(res, said, time.Now())
}

// judge returns the error for an answer that does not accept the message.
func (p *poster) judge(res *http.Response, said []byte, now time.Time) error {
	status := res.StatusCode
	text := strings.TrimSpace(fmt.Sprintf("it answered %d %s", status, http.StatusText(status)))
	if status/100 == 3 {
		return &RefusedError{p.clean(text + ", a redirect, which is not followed: give the address that it leads to")}
	}
	if line := provider.OneLine(string(said), 4*maxError); line != "" {
		text += ": " + line
	}
	text = p.clean(text)
	if status/100 == 4 && !isTemporary(status) {
		return &RefusedError{text}
	}
	if at := laterOf(res.Header, said, now); !at.IsZero() {
		return &LaterError{at, text}
	}
	return errors.New(text)
}

// isTemporary reports whether another try makes sense after this 4xx status.
func isTemporary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}

// laterOf reads Retry-After: seconds, of which Discord sends a fraction, or a date by the
// server's clock, which is compared with its Date, as our clock may be wrong. Telegram has the
// seconds in the answer alone (core.telegram.org/bots/api#responseparameters).
func laterOf(h http.Header, said []byte, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		v = retryAfterIn(said)
	}
	wait := time.Duration(0)
	if n, err := strconv.ParseFloat(v, 64); err == nil && n > 0 {
		wait = time.Duration(min(n, longestLater.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		theirs := now
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			theirs = date
		}
		wait = at.Sub(theirs)
	}
	if wait <= 0 {
		return time.Time{}
	}
	return now.Add(min(wait, longestLater))
}

// clean is one line without secrets.
func (p *poster) clean(text string) string { return scrub(text, p.secrets) }

// scrub is one line without secrets, however they are spelled.
func scrub(text string, secrets *spelling.Secrets) string {
	const window = 4 * maxError
	if secrets == nil {
		return provider.OneLine(text, maxError)
	}
	if len(text) > window {
		text = text[:secrets.Begun(text[:window])]
	}
	clean, ok := secrets.Mask(provider.OneLine(text, window))
	if !ok {
		return spelling.Masked
	}
	return provider.CutLine(clean, maxError)
}

// plainError removes the method and the address from an error of the client, because an
// address can be a secret.
func plainError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}

// receiver is where the messages of a sink go.
type receiver struct {
	url    *url.URL
	secret bool // the address is a credential
	token  string
	sign   string // for signatures
}

// receiverOf checks the address and, with read, reads the credentials. Without it what only
// they say is missing: url can be nil.
func receiverOf(n *config.Notify, o *Options, read bool) (*receiver, error) {
	r := &receiver{secret: n.URLFile != ""}
	address, setting := n.URL, "url"
	if read {
		for _, c := range []struct {
			setting, file string
			into          *string
		}{{"url_file", n.URLFile, &address}, {"token_file", n.TokenFile, &r.token}, {"secret_file", n.SecretFile, &r.sign}} {
			if c.file == "" {
				continue
			}
			secret, _, err := o.Env.ReadCredential(c.setting, c.file) // the configuration warns if others can read it
			if err != nil {
				return nil, err
			}
			*c.into = secret.Reveal()
		}
	}
	if r.secret {
		setting = "url_file"
		if !read {
			return r, nil
		}
	}
	if err := r.parse(address, setting); err != nil {
		return nil, err
	}
	return r, r.inClear(n)
}

// parse reads the address, and does not repeat it.
func (r *receiver) parse(address, setting string) error {
	wrong := func(problem string) error {
		return &config.SettingError{Setting: setting, Problem: problem, Fix: `write the whole address, such as url = "https://example.com/hook"`}
	}
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case address == "":
		return wrong("it is missing")
	case err != nil:
		return wrong("it is not an address")
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong("it does not begin with https:// or http://")
	case u.Hostname() == "":
		return wrong("it has no host")
	case u.Fragment != "":
		return wrong("it has a fragment")
	}
	r.url = u
	return nil
}

// inClear refuses to send a secret over a network without TLS.
func (r *receiver) inClear(n *config.Notify) error {
	if r.url.Scheme == "https" || config.IsLoopback(r.url.Hostname()) {
		return nil
	}
	setting := ""
	switch {
	case n.TokenFile != "":
		setting = "token_file"
	case r.secret:
		setting = "url_file"
	case r.url.User != nil:
		setting = "url"
	default:
		return nil
	}
	return &config.SettingError{
		Setting: setting, Problem: "a secret is not sent in clear to another machine",
		Fix: "give the address with https://",
	}
}

// secrets are what errors must not show.
func (r *receiver) secrets() []string {
	found := []string{r.token, r.sign}
	for part := range strings.SplitSeq(r.url.Path, "/") { // each can be the secret, also where url has it
		found = append(found, telling(part))
	}
	for _, values := range r.url.Query() {
		for _, value := range values {
			found = append(found, telling(value))
		}
	}
	return found
}

// telling leaves out the words of an address, such as "services", which are no secrets.
func telling(part string) string {
	word := !strings.ContainsFunc(part, func(c rune) bool { return c < 'a' || c > 'z' })
	if len(part) < 4 || word && len(part) < 12 {
		return ""
	}
	return part
}
