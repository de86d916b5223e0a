// Package dashboard is "providerctl dashboard": a web server for one person's browser, on
// this machine only. It decides which requests reach the views of ctl/dashboard/page, and
// forwards some of the daemon's routes to their scripts.
//
// Everybody on this machine can connect to a TCP port, and so can every web page that the
// person has open. So each request first has to pass the doors: [Doors.Enter], a pure function
// of the request's facts.
//
// The package may use net/http, unlike providerctl itself, because it is linked into a program
// of its own, cmd/providerctl-dashboard.
package dashboard
