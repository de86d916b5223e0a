package probe_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A theatre is the server of one play.
type theatre struct {
	context context.Context
	network *network // nil: that of this machine
	address string
	secure  bool // base_url says https
	roots   *x509.CertPool
	stop    []func()

	mu      sync.Mutex
	asked   []string
	matched []int // how often each answer was given
	answers []scenarioAnswer
}

// open listens as the scenario says.
func open(s *scenario) (*theatre, error) { return openOver(s, nil) }

// openOver listens on a network of a bubble.
func openOver(s *scenario, n *network) (*theatre, error) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &theatre{context: ctx, network: n, stop: []func(){cancel}, answers: s.Answers, matched: make([]int, len(s.Answers))}
	switch s.Server.TLS {
	case "", "wanted":
	default:
		t.secure = true
	}
	var err error
	switch {
	case s.Server.Connect == "refuse":
		var leave func()
		if t.address, leave, err = abandoned(); err == nil {
			t.stop = append(t.stop, leave)
		}
	case s.Server.Connect != "" || s.Server.Raw != "":
		err = t.converse(s.Server)
	default:
		err = t.serve(s.Server.TLS)
	}
	if err != nil {
		t.close()
	}
	return t, err
}

func (t *theatre) close() {
	for i := len(t.stop) - 1; i >= 0; i-- {
		t.stop[i]()
	}
}

// listen takes a port.
func (t *theatre) listen() (net.Listener, error) {
	if t.network != nil {
		return t.network, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// converse handles bare connections.
func (t *theatre) converse(s scenarioServer) error {
	l, err := t.listen()
	if err != nil {
		return err
	}
	t.address = l.Addr().String()
	t.stop = append(t.stop, attend(l, func(c net.Conn) {
		switch s.Connect {
		case "close":
		case "silent":
			_, _ = io.Copy(io.Discard, c)
		case "reset":
			_, _ = c.Read(make([]byte, 1))
			_ = c.(*net.TCPConn).SetLinger(0)
		default:
			in := bufio.NewReader(c)
			if r, err := http.ReadRequest(in); err == nil {
				t.note(r)
				_, _ = io.WriteString(c, s.Raw)
				_ = c.(interface{ CloseWrite() error }).CloseWrite() // not a reset while bytes are under way
				_, _ = io.Copy(io.Discard, in)
			}
		}
	}))
	return nil
}

// serve speaks HTTP, over TLS if that is wanted.
func (t *theatre) serve(mode string) error {
	ts := httptest.NewUnstartedServer(t)
	ts.Config.ErrorLog = discard()
	if t.network != nil {
		ts.Listener.Close()
		ts.Listener = t.network
	}
	if mode == "" || mode == "plain" {
		ts.Start()
	} else {
		made, err := certificates()
		if err != nil {
			return err
		}
		t.roots, ts.TLS = made.serving(mode)
		ts.StartTLS()
	}
	t.stop = append(t.stop, ts.Close)
	t.address = ts.Listener.Addr().String()
	return nil
}

func (t *theatre) note(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, r.Method+" "+r.URL.RequestURI())
}

func (t *theatre) requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// answer is the first that matches.
func (t *theatre) answer(r *http.Request) scenarioAnswer {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, a := range t.answers {
		name, value, _ := strings.Cut(a.IfHeader, ": ")
		if a.Path != "*" && a.Path != r.URL.RequestURI() || a.Method != "" && a.Method != r.Method ||
			a.IfHeader != "" && r.Header.Get(name) != value || a.Times > 0 && t.matched[i] >= a.Times {
			continue
		}
		t.matched[i]++
		return a
	}
	return scenarioAnswer{Status: 404, Headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: "404 page not found\n"}
}

func (t *theatre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // until it is read, its sender's end goes unnoticed
	t.note(r)
	a := t.answer(r)
	if a.Hang {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", scenarioNow.Format(http.TimeFormat)) // its clock and ours are the same
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	if a.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)*max(a.Repeat, 1)+10))
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	for range max(a.Repeat, 1) {
		if _, err := out.WriteString(a.Body); err != nil {
			return
		}
	}
	_ = out.Flush() // the client may have had enough
}

// abandoned is an address that refuses connections, and that nobody else can take while a
// client holds it. A port that was just free may be another test's by now.
func abandoned() (address string, leave func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		l.Close()
		return "", nil, err
	}
	return c.LocalAddr().String(), func() { c.Close(); l.Close() }, nil
}

type issued struct {
	roots *x509.CertPool
	leaf  map[string]tls.Certificate // by the scenario's word
}

// tlsWords are what a scenario may say about its server's TLS.
var tlsWords = []string{
	"", "good", "expired", "not_yet", "wrong_name", "unknown_issuer", "self_signed", "incomplete", "no_authorities",
	"too_old", "client_wanted", "client_wanted_1.2", "plain", "wanted",
}

// serving is the TLS for a word: whom the client trusts, and what the server does.
func (i *issued) serving(word string) (roots *x509.CertPool, c *tls.Config) {
	roots = i.roots
	leaf, own := i.leaf[word]
	if !own {
		leaf = i.leaf["good"]
	}
	c = &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}
	switch word {
	case "no_authorities":
		roots = x509.NewCertPool()
	case "too_old":
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	case "client_wanted":
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, i.roots
	case "client_wanted_1.2":
		c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, i.roots, tls.VersionTLS12
	}
	return roots, c
}

// certificates are made once. Their dates follow the clock of the scenarios.
var certificates = sync.OnceValues(func() (*issued, error) {
	const month = 30 * 24 * time.Hour
	made := &issued{roots: x509.NewCertPool(), leaf: map[string]tls.Certificate{}}
	trusted, err := authority()
	if err != nil {
		return nil, err
	}
	stranger, err := authority()
	if err != nil {
		return nil, err
	}
	made.roots.AddCert(trusted.Leaf)
	middle, err := sign(&x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "an issuer"},
		NotBefore: scenarioNow.AddDate(-1, 0, 0), NotAfter: scenarioNow.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, trusted)
	if err != nil {
		return nil, err
	}
	for word, c := range map[string]struct {
		issuer *tls.Certificate
		name   string
		until  time.Time
	}{
		"good":           {trusted, "", scenarioNow.Add(month)},
		"wanted":         {trusted, "", scenarioNow.Add(month)},
		"expired":        {trusted, "", scenarioNow.Add(-month)},
		"wrong_name":     {trusted, "other.example", scenarioNow.Add(month)},
		"unknown_issuer": {stranger, "", scenarioNow.Add(month)},
		"not_yet":        {trusted, "", scenarioNow.Add(12 * month)},
		"self_signed":    {nil, "", scenarioNow.Add(month)},
		"incomplete":     {middle, "", scenarioNow.Add(month)},
	} {
		leaf := x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a server"},
			NotBefore: scenarioNow.Add(-12 * month), NotAfter: c.until,
		}
		switch word {
		case "not_yet":
			leaf.NotBefore = scenarioNow.Add(month)
		case "incomplete": // without the issuer's
			leaf.IssuingCertificateURL = []string{"http://authority.example/issuer.der"}
		}
		if leaf.DNSNames = []string{c.name}; c.name == "" {
			leaf.DNSNames, leaf.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		signed, err := sign(&leaf, c.issuer)
		if err != nil {
			return nil, err
		}
		made.leaf[word] = *signed
	}
	return made, nil
})

func authority() (*tls.Certificate, error) {
	return sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"},
		NotBefore: scenarioNow.AddDate(-1, 0, 0), NotAfter: scenarioNow.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
}

// sign makes a certificate; with a nil issuer, a self-signed one.
func sign(c *x509.Certificate, issuer *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, signer := c, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
