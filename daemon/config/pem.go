package config

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// A pemError says what is wrong with a file's contents, without showing them.
type pemError struct {
	problem string // follows the file's name: "contains no certificate"
	fix     string
	key     bool // of a pair of files, it is about the private key's
}

func (e *pemError) Error() string { return e.problem }

const asPEM = "a PEM file has -----BEGIN CERTIFICATE----- lines"

// authorities are the certificates in a PEM bundle. Unreadable ones are counted: bundles of
// systems have some.
func authorities(data []byte) (certs []*x509.Certificate, unread int, _ error) {
	var last error
	for _, block := range blocks(data) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			unread, last = unread+1, err
			continue
		}
		certs = append(certs, c)
	}
	switch {
	case len(certs) > 0:
		return certs, unread, nil
	case last != nil:
		return nil, unread, &pemError{problem: "contains an invalid certificate: " + strings.TrimPrefix(last.Error(), "x509: "), fix: "replace it"}
	}
	return nil, 0, noCertificate(data)
}

// noCertificate says what a file contains instead of certificates.
func noCertificate(data []byte) *pemError {
	if _, err := x509.ParseCertificate(data); err == nil {
		return &pemError{problem: "is DER, not PEM", fix: "convert it: openssl x509 -inform der -in FILE -out FILE.pem"}
	}
	found := blocks(data)
	if len(found) == 0 {
		return &pemError{problem: "contains no PEM", fix: asPEM + "; from PKCS #12: openssl pkcs12 -in FILE -out FILE.pem -nodes"}
	}
	return &pemError{problem: "contains no certificate, but a " + strings.ToLower(found[0].Type), fix: asPEM}
}

// clientCertificate is a certificate with its chain and its key.
func clientCertificate(cert, key []byte) (*tls.Certificate, error) {
	chain, _, err := authorities(cert)
	if err != nil {
		return nil, err
	}
	if bad := unusableKey(key); bad != nil {
		return nil, bad
	}
	key = unmarked(key)
	pair, err := tls.X509KeyPair(unmarked(cert), key)
	if err == nil {
		return &pair, nil
	}
	if !strings.Contains(err.Error(), "does not match") {
		return nil, &pemError{key: true, problem: "cannot be used: " + strings.TrimPrefix(err.Error(), "tls: "), fix: "replace it"}
	}
	for i, c := range chain {
		if i > 0 && holds(key, c) {
			return nil, &pemError{problem: fmt.Sprintf("does not begin with the certificate of the key, which is number %d", i+1),
				fix: "put the client's own certificate first, followed by those that signed it"}
		}
	}
	return nil, &pemError{key: true, problem: "does not match the certificate", fix: "write the path of the key that belongs to " + quote(chain[0].Subject.String())}
}

// unusableKey is why a file has no usable private key; nil if it has one.
func unusableKey(data []byte) *pemError {
	found := blocks(data)
	for _, block := range found {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return &pemError{key: true, problem: "is encrypted, but providerd cannot ask for its pass phrase",
				fix: "decrypt it: openssl pkey -in FILE -out FILE.new, then: chmod 600 FILE.new"}
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil
		}
	}
	switch {
	case len(found) > 0:
		return &pemError{key: true, problem: "contains no private key, but a " + strings.ToLower(found[0].Type), fix: "write the path of the PEM file with the private key"}
	case isDERKey(data):
		return &pemError{key: true, problem: "is DER, not PEM", fix: "convert it: openssl pkey -inform der -in FILE -out FILE.pem"}
	}
	return &pemError{key: true, problem: "contains no PEM", fix: "write the path of the PEM file with the private key"}
}

func isDERKey(data []byte) bool {
	_, err := x509.ParsePKCS8PrivateKey(data)
	if err != nil {
		_, err = x509.ParsePKCS1PrivateKey(data)
	}
	if err != nil {
		_, err = x509.ParseECPrivateKey(data)
	}
	return err == nil
}

// holds reports whether the private key in a file belongs to a certificate.
func holds(key []byte, of *x509.Certificate) bool {
	pair, err := tls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: of.Raw}), key)
	_, is := pair.PrivateKey.(crypto.Signer)
	return err == nil && is
}

// unmarked drops the byte order mark that Notepad and others write at the beginning.
func unmarked(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\ufeff")) }

// blocks are the PEM blocks of a file.
func blocks(data []byte) (found []*pem.Block) {
	data = unmarked(data)
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return found
		}
		found, data = append(found, block), rest
	}
}
