//go:build !unix

package trust

import "io/fs"

func changeable(string, fs.FileInfo) (problem, repair string) { return "", "" }

func isOpen(fs.FileInfo) bool { return false }

// executable is always true: on this system the name decides.
func executable(fs.FileInfo) bool { return true }

func sudo(string, fs.FileInfo) string { return "" }

func quoted(path string) string { return path }
