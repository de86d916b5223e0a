package config

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A Fleet is what [fleet] says: how this machine shares what it knows with others, through etcd.
type Fleet struct {
	Name      string
	Endpoints []string // https://host:port, or http:// on this machine
	// CAFile, CertFile and KeyFile are for TLS, and are read again when they are used; empty:
	// not given.
	CAFile, CertFile, KeyFile string
	FleetKeyFile              string
	Key                       []byte // of the fleet: 32 bytes; nil: see Faults
	Member                    string // this machine
	Trust                     FleetTrust
	// Faults say why the fleet cannot be used; none: it can.
	Faults []string
}

// A FleetTrust is how far other members are believed.
type FleetTrust string

const (
	Verify FleetTrust = "verify" // with own checks
	Follow FleetTrust = "follow" // without
)

// The settings of [fleet].
const (
	fleetCert    = "cert_file"
	fleetKey     = "key_file"
	fleetSecret  = "fleet_key_file"
	fleetID      = "fleet" // of its faults
	maxFleetName = 64
	maxEndpoints = 16
)

// FleetKeySize is how many bytes a fleet's key has.
const FleetKeySize = 32

// FleetKeyText is the form of a fleet's key in its file: 43 characters of base64 for URLs.
func FleetKeyText(key []byte) string { return base64.RawURLEncoding.EncodeToString(key) }

// exampleOfFleet is a valid line of [fleet].
func exampleOfFleet(setting string) string {
	return setting + " = " + map[string]string{
		"name": `"lab"`, "endpoints": `["https://etcd-1:2379", "https://etcd-2:2379"]`,
		caFile: `"/etc/providerd/fleet-ca.pem"`, fleetCert: `"/etc/providerd/fleet.pem"`, fleetKey: `"/etc/providerd/fleet.key"`,
		fleetSecret: `"/etc/providerd/credentials/fleet_key"`, "member": `"gpu3"`, "trust": `"verify"`,
	}[setting]
}

// fleet reads [fleet].
func (t *table) fleet() *Fleet {
	before := len(t.mistakes)
	f := &Fleet{Name: t.fleetName("name", "the fleet"), Endpoints: t.endpoints(), Trust: Verify}
	f.CAFile, f.CertFile, f.KeyFile = t.fleetFile(caFile), t.fleetFile(fleetCert), t.fleetFile(fleetKey)
	f.FleetKeyFile = t.fleetFile(fleetSecret)
	f.Member = t.fleetName("member", "this machine")
	if trust, ok := t.text("trust", exampleOfFleet("trust")); ok {
		if f.Trust = FleetTrust(trust); f.Trust != Verify && f.Trust != Follow {
			t.reject(t.at("trust"), flawf(didYouMean(trust, []string{string(Verify), string(Follow)}), "unknown trust %s", quote(trust)))
		}
	}
	t.done()
	for _, must := range []string{"name", "endpoints", fleetSecret} {
		if t.values[must] == nil {
			t.reject(t.header(), flawf("write "+exampleOfFleet(must), "[fleet] has no %s", must))
		}
	}
	t.pairs(f)
	if len(t.mistakes) == before {
		t.fleetFiles(f)
	}
	return f
}

// pairs checks which of the settings for TLS go together.
func (t *table) pairs(f *Fleet) {
	for _, pair := range [...][2]string{{fleetCert, fleetKey}, {fleetKey, fleetCert}} {
		if t.values[pair[0]] != nil && t.values[pair[1]] == nil {
			t.reject(t.name(pair[0]), flawf("write "+exampleOfFleet(pair[1])+" too; it may be the same file", "%s needs a %s", pair[0], pair[1]))
		}
	}
	secure := slices.ContainsFunc(f.Endpoints, func(e string) bool { return strings.HasPrefix(e, "https:") })
	if secure && t.values[fleetCert] == nil && t.values[fleetKey] == nil {
		t.reject(t.header(), flawf("write "+exampleOfFleet(fleetCert)+" and "+exampleOfFleet(fleetKey),
			"[fleet] has no %s: etcd knows each member by its certificate", fleetCert))
	}
}

// fleetName reads a name that becomes a part of etcd's keys.
func (t *table) fleetName(setting, of string) string {
	name, ok := t.text(setting, exampleOfFleet(setting))
	if ok && !isFleetName(name) {
		t.reject(t.at(setting), flawf("write "+exampleOfFleet(setting),
			"%s is %s: the name of %s consists of 1 to %d letters, digits and . _ - and begins with a letter or a digit", setting, quote(name), of, maxFleetName))
		return ""
	}
	return name
}

func isFleetName(name string) bool {
	for i, c := range name {
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("._-", c)) {
			return false
		}
	}
	return name != "" && len(name) <= maxFleetName
}

func (t *table) endpoints() []string {
	const setting = "endpoints"
	texts, _ := needed[string](t, setting, exampleOfFleet(setting))
	if len(texts) > maxEndpoints {
		t.reject(t.at(setting), flawf("name some of them: any member of etcd's cluster will do", "%s has %d endpoints: at most %d", setting, len(texts), maxEndpoints))
	}
	var all []string
	for i, text := range texts {
		endpoint, f := endpointOf(text)
		switch {
		case f != nil:
			t.reject(t.elem(setting, i), f)
		case slices.Contains(all, endpoint):
			t.reject(t.elem(setting, i), flawf("leave one out", "endpoint %s is named twice", quote(endpoint)))
		default:
			all = append(all, endpoint)
		}
	}
	return all
}

// endpointOf checks and normalises the address of one of etcd's servers.
func endpointOf(text string) (string, *flaw) {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		return "", flawf("leave out what comes before the @: members have certificates", "an endpoint has a user or a password")
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", flawf(`write "https://etcd-1:2379"`, "endpoint %s is no address of etcd", quote(text))
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return "", flawf("write https://, with a certificate for each member; http:// is for this machine only",
			"endpoint %s is not encrypted, and anybody on the way could read and change what members say", quote(text))
	case u.Port() == "":
		return "", flawf("add the port: "+quote(u.Scheme+"://"+u.Host+":2379"), "endpoint %s has no port", quote(text))
	case !validPort(u.Port()):
		return "", flawf(`write "https://etcd-1:2379"`, "endpoint %s has an invalid port", quote(text))
	case strings.Trim(u.Path, "/") != "" || strings.ContainsAny(text, "?#"):
		return "", flawf("leave out what follows the port", "endpoint %s has a path or a query", quote(text))
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// fleetFile reads the path of a file, with the rules of api_key_file.
func (t *table) fleetFile(setting string) string {
	name, ok := t.text(setting, exampleOfFleet(setting))
	if !ok {
		return ""
	}
	if name == "" {
		t.reject(t.at(setting), flawf("write "+exampleOfFleet(setting), "%s is empty", setting))
		return ""
	}
	path, f := credentialPath(setting, name, t.env)
	if f != nil {
		t.reject(t.at(setting), f)
	}
	return path
}

// fleetFiles reads the files. What is wrong with them is a fault of the fleet alone: the daemon
// starts without it.
func (t *table) fleetFiles(f *Fleet) {
	secret, loose, bad := t.env.credentialIn(f.FleetKeyFile)
	if loose {
		t.warn(t.at(fleetSecret), "every user of this machine can read the %s: chmod o-r %s", fleetSecret, printable(f.FleetKeyFile))
	}
	if bad != nil {
		bad.message = fleetSecret + ": " + bad.message
		t.faultFleet(f, fleetSecret, bad)
	} else if f.Key = fleetKeyIn(secret.Reveal()); f.Key == nil {
		t.faultFleet(f, fleetSecret, flawf("make a new one for all members: (umask 077; providerd fleet key > FILE)",
			"%s: %s has no key of a fleet, which is 43 characters of base64", fleetSecret, quote(f.FleetKeyFile)))
	}
	common := t.certificates(f)
	if f.Member == "" {
		host, _ := os.Hostname()
		if f.Member = cmp.Or(common, host); !isFleetName(f.Member) {
			t.faultFleet(f, "member", flawf("write "+exampleOfFleet("member"), "this machine's name %s cannot be a member's", quote(f.Member)))
		}
	}
}

// fleetKeyIn decodes the key of a fleet; nil: it is none.
func fleetKeyIn(text string) []byte {
	for _, form := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.StdEncoding} {
		if key, err := form.Strict().DecodeString(text); err == nil && len(key) == FleetKeySize {
			return key
		}
	}
	return nil
}

// certificates checks the files for TLS, and returns the common name of this machine's
// certificate.
func (t *table) certificates(f *Fleet) (common string) {
	read := func(setting, path string, limit int64) []byte {
		if path == "" {
			return nil
		}
		data, mode, err := t.env.readFile(path, limit)
		if err != nil {
			t.faultFleet(f, setting, flawf(t.env.fileFix(err, path), "%s %s: %s", setting, quote(path), reasonOf(err)).of(err, path))
			return nil
		}
		if setting == fleetKey && mode&0o004 != 0 && t.env.OS != "windows" {
			t.warn(t.at(setting), "every user of this machine can read the private key: chmod o-r %s", printable(path))
		}
		return data
	}
	if data := read(caFile, f.CAFile, maxCAFile); data != nil {
		if _, _, err := authorities(data); err != nil {
			t.faultFleet(f, caFile, pemFlaw(caFile, f.CAFile, err))
		}
	}
	cert, key := read(fleetCert, f.CertFile, maxCertFile), read(fleetKey, f.KeyFile, maxCertFile)
	if cert == nil || key == nil {
		return ""
	}
	pair, err := clientCertificate(cert, key)
	if err != nil {
		of := &TLS{CertFile: f.CertFile, KeyFile: f.KeyFile}
		setting, path := of.of(err)
		t.faultFleet(f, strings.TrimPrefix(setting, "client_"), pemFlaw(strings.TrimPrefix(setting, "client_"), path, err))
		return ""
	}
	if pair.Leaf != nil {
		common = pair.Leaf.Subject.CommonName
	}
	return common
}

// faultFleet notes why the fleet cannot be used.
func (t *table) faultFleet(f *Fleet, setting string, bad *flaw) {
	t.fault(fleetID, t.at(setting), bad)
	f.Faults = append(f.Faults, bad.message)
}

// FleetHas reports whether the fleet has that fault.
func (c *Config) FleetHas(f Fault) bool {
	return c.Fleet != nil && f.ID == fleetID && slices.Contains(c.Fleet.Faults, f.Message)
}

// files are the files that [fleet] names, by the setting.
func (f *Fleet) files() (files []credentialFile) {
	for _, file := range []credentialFile{{caFile, f.CAFile}, {fleetCert, f.CertFile}, {fleetKey, f.KeyFile}, {fleetSecret, f.FleetKeyFile}} {
		if file.path != "" {
			files = append(files, file)
		}
	}
	return files
}

func (f *Fleet) show(b *strings.Builder) {
	if f == nil {
		return
	}
	b.WriteString("\n[fleet]\n")
	writeText(b, "name", f.Name)
	writeTexts(b, "endpoints", f.Endpoints)
	for _, file := range f.files() {
		writeText(b, file.setting, file.path)
	}
	for _, fault := range f.Faults {
		fmt.Fprintf(b, "# %s\n", printable(fault))
	}
	if f.Member != "" {
		fmt.Fprintf(b, "member = %s\n", provider.Quoted(f.Member))
	}
	writeText(b, "trust", string(f.Trust))
}
