// Package fleet shares what is known of providers with the other machines of a fleet. One member
// probes each shared provider, and the others take its word, within the bounds that rules.go
// explains.
//
// An [Engine] is one member. Its state is guarded by one lock, which is held for work in memory
// only. The scheduler, a batch of the bus or the passing of time changes the state; then
// [Engine.settle] decides what follows for each provider concerned: orders for the scheduler,
// which the loop carries out without the lock, and writes, which goroutines of the session do.
// Nobody waits for the bus: not the scheduler, and not a reader of [Engine.Fleet].
//
// No time of another machine is compared with one of ours: durations are shared, and ages count
// by our monotonic clock from the moment of receipt.
package fleet
