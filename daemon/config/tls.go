package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A TLS is a provider's own authorities and client certificate. The files are read with the
// configuration, so that mistakes show early, and again by the probes when they change.
type TLS struct {
	// CAFile has the authorities that may sign the server's certificate; empty: those of
	// this machine.
	CAFile string
	// CertFile and KeyFile are the client certificate and its private key: both or
	// neither. They may be one file.
	CertFile, KeyFile string
	// Sum is a hash of the files: other contents make another TLS.
	Sum [sha256.Size]byte
	// Faults say which of the files could not be used when they were read.
	Faults []string
}

// The settings of a [[provider]] that make a TLS.
const (
	caFile   = "ca_file"
	certFile = "client_cert_file"
	keyFile  = "client_key_file"
)

var tlsSettings = []string{caFile, certFile, keyFile}

const (
	maxCAFile   = 2 << 20  // bytes: the whole bundle of a system has a quarter of a MiB
	maxCertFile = 64 << 10 // also of a key
)

// speaksTLS reports whether a base_url of this kind can ask for TLS.
func (k *Kind) speaksTLS() bool { return slices.ContainsFunc(k.schemes(), isSecure) }

func isSecure(scheme string) bool { return scheme == "https" || scheme == "grpcs" || scheme == "tls" }

// tls reads the settings but not the files, which a disabled provider does not need.
func (t *table) tls(kind *Kind) *TLS {
	paths := make(map[string]string)
	for _, setting := range tlsSettings {
		path, given := t.text(setting, exampleOf(setting))
		switch {
		case kind != nil && !kind.speaksTLS() && t.values[setting] != nil:
			t.reject(t.name(setting), flawf("leave it out", "kind %s does not take %s: it does not speak TLS", kind.Name, setting))
		case kind != nil && !kind.speaksTLS(): // nothing to propose for an unknown kind
			t.asked = slices.DeleteFunc(t.asked, func(name string) bool { return name == setting })
		case given:
			paths[setting] = t.tlsPath(setting, path)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	for _, pair := range [...][2]string{{certFile, keyFile}, {keyFile, certFile}} {
		if t.values[pair[0]] != nil && t.values[pair[1]] == nil {
			t.reject(t.name(pair[0]), flawf("write "+exampleOf(pair[1])+" too; it may be the same file", "%s needs a %s", pair[0], pair[1]))
		}
	}
	return &TLS{CAFile: paths[caFile], CertFile: paths[certFile], KeyFile: paths[keyFile]}
}

func exampleOf(setting string) string {
	return setting + ` = "/etc/providerd/` + map[string]string{
		caFile: "authority.pem", certFile: "client.pem", keyFile: "client.key",
	}[setting] + `"`
}

// tlsPath is the file that a setting names, with the rules of api_key_file.
func (t *table) tlsPath(setting, name string) string {
	if name == "" {
		t.reject(t.at(setting), flawf("write "+exampleOf(setting), "%s is empty", setting))
		return ""
	}
	path, f := credentialPath(setting, name, t.env)
	if f != nil {
		t.reject(t.at(setting), f)
	}
	return path
}

// tlsFiles reads the files and reports what is wrong with them.
func (t *table) tlsFiles(p *Provider) {
	if p.TLS == nil {
		return
	}
	if scheme, _, _ := strings.Cut(p.BaseURL, ":"); p.BaseURL != "" && !isSecure(scheme) {
		first := slices.IndexFunc(tlsSettings, func(name string) bool { return t.values[name] != nil })
		t.warn(t.name(tlsSettings[first]), "%s is only for TLS, but base_url begins with %s://", tlsSettings[first], scheme)
	}
	sum := sha256.New()
	read := func(setting, path string, limit int64) []byte {
		if path == "" { // not given, or already reported
			return nil
		}
		data, mode, err := t.env.readFile(path, limit)
		if err != nil {
			t.faultTLS(p, setting, flawf(t.env.fileFix(err, path), "%s %s: %s", setting, quote(path), reasonOf(err)).of(err, path))
			return nil
		}
		if setting == keyFile && mode&0o004 != 0 && t.env.OS != "windows" { // which has no such bits and reports all of them
			t.warn(t.at(setting), "every user of this machine can read the private key: chmod 600 %s", printable(path))
		}
		_ = binary.Write(sum, binary.BigEndian, int64(len(data))) // a hash never fails
		_, _ = sum.Write(data)
		return data
	}
	if data := read(caFile, p.TLS.CAFile, maxCAFile); data != nil {
		_, unread, err := authorities(data)
		t.faultPEM(p, caFile, p.TLS.CAFile, err)
		if err == nil && unread > 0 {
			t.warn(t.at(caFile), "%d of the certificates in %s cannot be read and are skipped", unread, printable(p.TLS.CAFile))
		}
	}
	cert, key := read(certFile, p.TLS.CertFile, maxCertFile), read(keyFile, p.TLS.KeyFile, maxCertFile)
	if cert != nil && key != nil {
		_, err := clientCertificate(cert, key)
		setting, path := p.TLS.of(err)
		t.faultPEM(p, setting, path, err)
	}
	sum.Sum(p.TLS.Sum[:0])
}

// faultPEM reports what is wrong with a file's contents, at the setting that names it.
func (t *table) faultPEM(p *Provider, setting, path string, err error) {
	if err != nil {
		t.faultTLS(p, setting, pemFlaw(setting, path, err))
	}
}

// pemFlaw is what is wrong with the contents of a file that a setting names.
func pemFlaw(setting, path string, err error) *flaw {
	bad := &pemError{problem: err.Error()}
	errors.As(err, &bad)
	return flawf(bad.fix, "%s %s %s", setting, quote(path), maskSecrets(printable(bad.problem)))
}

// faultTLS notes what is wrong with a file. The probes read it again, so it may be right by
// then.
func (t *table) faultTLS(p *Provider, setting string, f *flaw) {
	t.fault(p.ID, t.at(setting), f)
	p.TLS.Faults = append(p.TLS.Faults, f.message)
}

// fileFix says what to do about a file that cannot be read.
func (e Env) fileFix(err error, name string) string {
	own, loaded := strings.CutPrefix(filepath.Base(name), loadedKey)
	switch {
	case errors.Is(err, fs.ErrNotExist) && loaded && filepath.Dir(name) == filepath.Clean(e.get("CREDENTIALS_DIRECTORY")):
		return "put it into " + printable(filepath.Join(credentials, own)) + ", then restart the service: " + restartLine(e)
	case errors.Is(err, fs.ErrPermission):
		return "give the user that runs providerd access to it and to its folders"
	case errors.Is(err, fs.ErrNotExist):
		return "create it, or correct the path"
	}
	return "write the path of a PEM file"
}

// Authorities reads the current CAFile.
func (s *TLS) Authorities() (*x509.CertPool, error) {
	data, _, err := readRegular(s.CAFile, maxCAFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", caFile, err)
	}
	certs, _, err := authorities(data)
	if err != nil {
		return nil, fmt.Errorf("%s %s %w", caFile, s.CAFile, err)
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}

// ClientCertificate reads the current CertFile and KeyFile.
func (s *TLS) ClientCertificate() (*tls.Certificate, error) {
	cert, _, err := readRegular(s.CertFile, maxCertFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", certFile, err)
	}
	key, _, err := readRegular(s.KeyFile, maxCertFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyFile, err)
	}
	pair, err := clientCertificate(cert, key)
	if err == nil {
		return pair, nil
	}
	setting, path := s.of(err)
	return nil, fmt.Errorf("%s %s %w", setting, path, err)
}

// of returns the setting and the file that an error is about.
func (s *TLS) of(err error) (setting, path string) {
	if bad := (*pemError)(nil); errors.As(err, &bad) && bad.key {
		return keyFile, s.KeyFile
	}
	return certFile, s.CertFile
}

// foreignNames are the names of these settings in other programs.
var foreignNames = map[string]string{
	"ca": caFile, "cacert": caFile, "ca_cert": caFile, "ca_bundle": caFile, "ca_certs": caFile, "ca_path": caFile, "ssl_cert_file": caFile, "tls_ca": caFile, "tls_ca_file": caFile,
	"cert": certFile, "cert_file": certFile, "client_cert": certFile, "client_certificate": certFile, "tls_cert": certFile, "tls_cert_file": certFile,
	"client_key": keyFile, "key_file": keyFile, "tls_key": keyFile, "tls_key_file": keyFile,
}

// foreignTLS answers a setting with the name from another program, and one that is missing on
// purpose.
func foreignTLS(key string) *flaw {
	key = strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	if ours := foreignNames[key]; ours != "" {
		return flawf("write "+exampleOf(ours), "unknown setting %s: it is called %s", quote(key), ours)
	}
	if strings.Contains(key, "insecure") || strings.Contains(key, "verify") {
		return flawf("write "+exampleOf(caFile)+", with the certificate of the server or its authority", "unknown setting %s: certificates are always checked", quote(key))
	}
	return nil
}

// show writes the settings, and never the files' contents.
func (s *TLS) show(b *strings.Builder) {
	if s == nil {
		return
	}
	for _, setting := range [...][2]string{{caFile, s.CAFile}, {certFile, s.CertFile}, {keyFile, s.KeyFile}} {
		if setting[1] != "" {
			writeText(b, setting[0], setting[1])
		}
	}
}
