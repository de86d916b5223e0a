//go:build !linux

package userns

func users() idMap { return idMap{complete: true} }

func groups() idMap { return users() }
