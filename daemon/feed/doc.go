// Package feed reads the status feeds of vendors: what they say themselves about
// the service that a probe only sees from outside.
//
// Each format has a small file with one pure function, which turns a document into
// a [page]; what a page means for one provider, and only that, is in page.go. A
// [Poller] asks for the documents, politely: one request for each feed, however
// many providers follow it, every few minutes, and for nothing that is not changed.
//
// It reads strictly. A document that is not what its format promises is an error,
// a word that is not known is [provider.ImpactUnknown], and a component that a
// feed should list and does not is unknown too: none of these is ever "all is
// well". It sends no key and no cookie, to nobody.
//
// It imports daemon/config, for what to follow, and store/provider, for the words.
// What a reading does to a row is for daemon/judge to say.
package feed
