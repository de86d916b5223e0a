// Package page renders the dashboard: its views as HTML, its own scripts and styles, and the
// forms that change something. Every view is rendered whole here, and reads the same with and
// without JavaScript; the scripts fetch the same HTML again and patch what differs, so there
// is one renderer.
//
// It checks nothing except the nonce of its forms. Its caller, package dashboard, decides who
// may connect, and with which headers.
package page

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/ctl/client"
)

// Options are what the views need.
type Options struct {
	// Client asks the daemon. Set its DialPatience, so that a page does not wait for a daemon
	// that is away.
	Client *client.Client

	// Base is the path of the overview, with a slash at both ends. The other views, the
	// assets and the forms are below it, as is the daemon's forwarded API, at Base + "api/…".
	Base string

	// Nonce is what each form has to send in its field "nonce".
	Nonce string

	ReadOnly bool   // show no form, and accept none
	Host     string // the name of this machine
	Version  string // of this program
	// Actions start, stop and restart the units of providers; nil offers none.
	Actions *Actions
	// Spell adapts the commands in hints to their reader; nil keeps them as they are.
	Spell func(hint string) string
	// Patience is how long a view may take in all; zero means 15 s.
	Patience time.Duration
}

// New returns the handler of all requests below Base, except those for the API. It expects
// their whole path. GET and HEAD show views and assets; POST is for its forms.
//
// It sets Content-Type and Cache-Control, and leaves all other headers to its caller. Assets
// are below Base + "assets/", in a folder named after their hash, and may be kept forever.
func New(o Options) http.Handler { return newHandler(o) }
