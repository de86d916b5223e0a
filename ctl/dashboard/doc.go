// Package dashboard is "providerctl dashboard": a web server for one person's browser, on
// this machine only. It guards the way to the views of ctl/dashboard/page, and forwards a
// list of the daemon's routes to their scripts.
//
// Everybody on this machine can connect to a TCP port, and so can every web page that the
// person has open. What a request has to show before anything else sees it is decided in
// doors.go, by a pure function of its facts: [Doors.Enter].
//
// The package may use net/http, which providerctl itself must not: it is linked into a
// program of its own, cmd/providerctl-dashboard.
package dashboard
