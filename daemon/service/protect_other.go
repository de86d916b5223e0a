//go:build !windows

package service

// protect does nothing: the service file sets who may write to the folders.
func (s *Service) protect() error { return nil }
