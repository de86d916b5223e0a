// Package fleet shares what is known of providers with the other machines of a fleet. One member
// probes each shared provider, and the others take its word, within the bounds that rules.go
// explains.
package fleet
