// Package feed reads vendors' status feeds: what they say about their own service, which
// probes only see from outside.
//
// Each format has a small file with one pure function that turns a document into a [page].
// What a page means for one provider is in page.go. A [Poller] fetches the documents
// politely: one request per feed every few minutes, however many providers follow it, and
// conditional where the feed allows it.
//
// It reads strictly. A document that does not fit its format is an error, an unknown word
// is [provider.ImpactUnknown], and a component that a feed should list but does not is
// unknown too: none of these ever counts as "all is well". It sends no keys and no cookies,
// and passes on nothing in which a proxy repeats its own password.
//
// It imports daemon/config, for what to follow, daemon/probe/spelling, for secrets, and
// store/provider, for the vocabulary.
// daemon/judge decides what a reading does to a row.
package feed
