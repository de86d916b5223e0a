// Package wire has the keys and values that the members of a fleet share, and the rules of
// how little of them is believed. It is pure: no clock, no network.
//
// # What is shared
//
// Keys, below the fleet's own prefix:
//
//	members/<member>      who is there, and which providers it lists   leased, 4 KiB
//	members/<member>/<n>  more of these providers, from n = 1          leased, 4 KiB
//	claim/<fp>            who probes a provider                        leased, 256 B
//	row/<fp>              what that member found                       2 KiB
//	models/<fp>           the models it lists, compressed              64 KiB
//	limit/<key>           a rate limit; exists as long as it lasts     256 B
//	refresh/<fp>          a refresh; its revision is what was asked    256 B
//	host/<member>         the servers on that member's machine         leased, 8 KiB
//
// A provider is named by its fingerprint ([FP]), which only members can compute. No value has a
// secret, an address of a shared provider, or a text that a person wrote, other than the names
// of members, hosts and providers: state and reason are words of a closed set, from which the
// receiver makes detail and hint.
//
// # What is believed
//
// Every value is read as if an enemy had written it: it is small, it is UTF-8, its texts are
// short and printable, its durations are bounded, and its words are known. A value that fails
// is not there. So is a row with a state or a reason that this version does not know: its
// receiver probes the provider itself as soon as what it knew is too old. Unknown fields of a
// row are carried over by the next member that writes it ([Row.Extra]), and otherwise ignored.
package wire
