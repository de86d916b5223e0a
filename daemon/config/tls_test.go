package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
)

// A pair is a certificate and its key in PEM.
type pair struct{ cert, key string }

func issue(t *testing.T, name string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{inPEM("CERTIFICATE", der), inPEM("PRIVATE KEY", secret)}
}

func inPEM(kind string, data []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
}

func fromPEM(t *testing.T, text string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM")
	}
	return string(block.Bytes)
}

const tlsProvider = "[[provider]]\nid = \"a\"\nkind = \"openai-compatible\"\nbase_url = \"https://llm.example.com/v1\"\n"

// TestParse_TLS checks that the files are named and read, and shown only by name.
func TestParse_TLS(t *testing.T) {
	ca, own := issue(t, "an authority"), issue(t, "a client")
	e := env(map[string]string{"CREDENTIALS_DIRECTORY": "/run/credentials/providerd.service"}, map[string]string{
		"/t/ca": ca.cert, "/t/both": own.key + own.cert, "/run/credentials/providerd.service/key_tls": own.key, "/t/cert": "\ufeff" + own.cert + ca.cert,
	})
	const given = "ca_file = \"/t/ca\"\nclient_cert_file = \"/t/cert\"\nclient_key_file = \"key_tls\"\n"
	c := parse(t, tlsProvider+given, e)
	p := &c.Providers[0]
	want := config.TLS{CAFile: "/t/ca", CertFile: "/t/cert", KeyFile: "/run/credentials/providerd.service/key_tls"}
	if got := *p.TLS; got.CAFile != want.CAFile || got.CertFile != want.CertFile || got.KeyFile != want.KeyFile {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
	shown := c.Show()
	if !strings.Contains(shown, strings.Replace(given, `"key_tls"`, `"/run/credentials/providerd.service/key_tls"`, 1)) || strings.Contains(shown, "BEGIN") {
		t.Errorf("shown:\n%s", shown)
	}
	if again := parse(t, shown, e); !reflect.DeepEqual(again.Providers[0].TLS, p.TLS) {
		t.Errorf("shown, it means %+v", again.Providers[0].TLS)
	}
	parse(t, tlsProvider+"client_cert_file = \"/t/both\"\nclient_key_file = \"/t/both\"", e) // one file is enough
	if plain := parse(t, tlsProvider, e); plain.Providers[0].TLS != nil {
		t.Errorf("without a setting: %+v", plain.Providers[0].TLS)
	}
	parse(t, tlsProvider+"enabled = false\nca_file = \"/t/absent\"", e) // nobody reads it
}

// TestParse_TLSChangesWithItsFiles checks that a reload with other contents under the same names is a
// change, and one with the same contents is not.
func TestParse_TLSChangesWithItsFiles(t *testing.T) {
	ca, own, next := issue(t, "an authority"), issue(t, "a client"), issue(t, "a client")
	read := func(ca string, own pair) *config.TLS {
		e := env(nil, map[string]string{"/t/ca": ca, "/t/cert": own.cert, "/t/key": own.key})
		return parse(t, tlsProvider+"ca_file = \"/t/ca\"\nclient_cert_file = \"/t/cert\"\nclient_key_file = \"/t/key\"", e).Providers[0].TLS
	}
	was := read(ca.cert, own)
	if !reflect.DeepEqual(was, read(ca.cert, own)) {
		t.Error("the same files are a change")
	}
	for name, is := range map[string]*config.TLS{"ca_file": read(ca.cert+own.cert, own), "client certificate": read(ca.cert, next)} {
		if reflect.DeepEqual(was, is) {
			t.Errorf("another %s is no change", name)
		}
	}
}

// TestParse_TLSMistakes checks that each mistake is reported with its line, its setting and what to
// do, but nothing of a key.
func TestParse_TLSMistakes(t *testing.T) {
	ca, own, other := issue(t, "an authority"), issue(t, "a client"), issue(t, "somebody else")
	files := map[string]string{
		"/t/ca": ca.cert, "/t/cert": own.cert, "/t/key": own.key, "/t/other-key": other.key,
		"/t/der": fromPEM(t, ca.cert), "/t/key-der": fromPEM(t, own.key), "/t/text": "hello\n", "/t/empty": "",
		"/t/broken":    inPEM("CERTIFICATE", []byte("leak")),
		"/t/backwards": ca.cert + own.cert,
		"/t/encrypted": inPEM("ENCRYPTED PRIVATE KEY", []byte("leak")),
		"/t/old-encrypted": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("leak"),
			Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}})),
	}
	with := func(cert, key string) string {
		return "client_cert_file = \"" + cert + "\"\nclient_key_file = \"" + key + "\""
	}
	const p = "[[provider]]\nid = \"a\"\nkind = "
	for name, tt := range map[string]struct{ file, want, fix string }{
		"absent":         {tlsProvider + `ca_file = "/t/absent"`, `p.toml:5:11: ca_file "/t/absent": file does not exist`, "create it, or correct the path"},
		"empty":          {tlsProvider + `ca_file = "/t/empty"`, "p.toml:5:11: ca_file \"/t/empty\" contains no PEM", "-----BEGIN CERTIFICATE-----"},
		"no name":        {tlsProvider + `ca_file = ""`, "p.toml:5:11: ca_file is empty", `write ca_file = "/etc/providerd/authority.pem"`},
		"relative":       {tlsProvider + `ca_file = "t/ca"`, "p.toml:5:11: ca_file is a relative path", "from the root"},
		"no credentials": {tlsProvider + `ca_file = "key_ca"`, "p.toml:5:11: ca_file is a bare name", "LoadCredential=key_ca"},
		"not text":       {tlsProvider + `ca_file = true`, "p.toml:5:11: ca_file must be text", "write ca_file ="},
		"DER":            {tlsProvider + `ca_file = "/t/der"`, "is DER, not PEM", "openssl x509 -inform der"},
		"text":           {tlsProvider + `ca_file = "/t/text"`, "contains no PEM", "openssl pkcs12"},
		"a key":          {tlsProvider + `ca_file = "/t/key"`, "contains no certificate, but a private key", "BEGIN CERTIFICATE"},
		"broken":         {tlsProvider + `ca_file = "/t/broken"`, "contains an invalid certificate", "replace it"},
		"alone":          {tlsProvider + `client_cert_file = "/t/cert"`, "p.toml:5:1: client_cert_file needs a client_key_file", "it may be the same file"},
		"key alone":      {tlsProvider + `client_key_file = "/t/key"`, "p.toml:5:1: client_key_file needs a client_cert_file", "write client_cert_file"},
		"encrypted":      {tlsProvider + with("/t/cert", "/t/encrypted"), "p.toml:6:19: client_key_file \"/t/encrypted\" is encrypted", "openssl pkey"},
		"encrypted once": {tlsProvider + with("/t/cert", "/t/old-encrypted"), "p.toml:6:19: client_key_file \"/t/old-encrypted\" is encrypted", "openssl pkey"},
		"others' key":    {tlsProvider + with("/t/cert", "/t/other-key"), "p.toml:6:19: client_key_file \"/t/other-key\" does not match the certificate", "CN=a client"},
		"backwards":      {tlsProvider + with("/t/backwards", "/t/key"), "p.toml:5:20: client_cert_file \"/t/backwards\" does not begin with the certificate of the key", "first"},
		"no key in it":   {tlsProvider + with("/t/cert", "/t/cert"), "p.toml:6:19: client_key_file \"/t/cert\" contains no private key, but a certificate", "private key"},
		"key in DER":     {tlsProvider + with("/t/cert", "/t/key-der"), "p.toml:6:19: client_key_file \"/t/key-der\" is DER, not PEM", "openssl pkey -inform der"},
		"no certificate": {tlsProvider + with("/t/text", "/t/key"), "p.toml:5:20: client_cert_file \"/t/text\" contains no PEM", "BEGIN CERTIFICATE"},
		"no PEM for key": {tlsProvider + with("/t/cert", "/t/text"), "p.toml:6:19: client_key_file \"/t/text\" contains no PEM", "private key"},
		"the key itself": {tlsProvider + "client_cert_file = \"/t/cert\"\nclient_key_file = \"\"\"\n" + "-----BEGIN PRIVATE KEY-----\nleak0123456789abcdefABCDEF\n\"\"\"", "client_key_file contains a control character", "path"},
		"exec":           {p + "\"exec\"\ncommand = [\"/bin/c\"]\nca_file = \"/t/ca\"", "p.toml:5:1: kind exec does not take ca_file", "leave it out"},
		"systemd":        {p + "\"systemd\"\nunit = \"a.service\"\nclient_key_file = \"/t/key\"", "p.toml:5:1: kind systemd does not take client_key_file", "leave it out"},
		"tcp":            {p + "\"tcp\"\nbase_url = \"tcp://h:1\"\nclient_cert_file = \"/t/cert\"", "p.toml:5:1: kind tcp does not take client_cert_file", "leave it out"},
		"another's word": {tlsProvider + `tls_ca_file = "/t/ca"`, `p.toml:5:1: unknown setting "tls_ca_file": it is called ca_file`, "write ca_file"},
		"another's key":  {tlsProvider + `key_file = "/t/key"`, `p.toml:5:1: unknown setting "key_file": it is called client_key_file`, "write client_key_file"},
		"unchecked":      {tlsProvider + `insecure_skip_verify = true`, `p.toml:5:1: unknown setting "insecure_skip_verify": certificates are always checked`, "write ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Parse("p.toml", []byte(tt.file), kinds(), env(nil, files))
			if err == nil {
				err = cfg.FaultError(nil)
			}
			var e *config.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if text := err.Error(); !strings.Contains(text, tt.want) || !strings.Contains(text, tt.fix) || strings.Contains(text, "leak") ||
				strings.Contains(text, "PRIVATE KEY") {
				t.Errorf("got:\n%s\nwant %q and %q", text, tt.want, tt.fix)
			}
		})
	}
}

// TestParse_TLSWarnings has what is allowed but hardly meant.
func TestParse_TLSWarnings(t *testing.T) {
	own := issue(t, "a client")
	dir := t.TempDir()
	cert := write(t, filepath.Join(dir, "cert"), own.cert, 0o644)
	loose := write(t, filepath.Join(dir, "key"), own.key, 0o644)
	some := write(t, filepath.Join(dir, "some"), own.cert+inPEM("CERTIFICATE", []byte("no")), 0o644)
	e := env(nil, nil)
	e.ReadFile = nil
	for name, tt := range map[string]struct{ file, want string }{
		"loose": {tlsProvider + "client_cert_file = '" + cert + "'\nclient_key_file = '" + loose + "'", "every user of this machine can read the private key: chmod 600 " + loose},
		"plain": {"[[provider]]\nid = \"a\"\nkind = \"ollama\"\nbase_url = \"http://h\"\nca_file = '" + cert + "'", "p.toml:5: ca_file is only for TLS, but base_url begins with http://"},
		"some":  {tlsProvider + "ca_file = '" + some + "'", "1 of the certificates in " + some + " cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			if warnings := parse(t, tt.file, e).Warnings; len(warnings) != 1 || !strings.Contains(warnings[0], tt.want) {
				t.Errorf("warnings %q, want %q", warnings, tt.want)
			}
		})
	}
}

// FuzzParse_TLSFiles checks that any file is either usable or a mistake, and that the mistake contains
// nothing of it.
func FuzzParse_TLSFiles(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte{0x30, 0x82})
	f.Fuzz(func(t *testing.T, data []byte) {
		e := env(nil, map[string]string{"/t/f": string(data)})
		_, err := config.Parse("p.toml", []byte(tlsProvider+"ca_file = \"/t/f\"\nclient_cert_file = \"/t/f\"\nclient_key_file = \"/t/f\""), kinds(), e)
		if err != nil && len(data) > 40 && bytes.Contains([]byte(err.Error()), data[:40]) {
			t.Errorf("the error repeats the file: %v", err)
		}
	})
}
