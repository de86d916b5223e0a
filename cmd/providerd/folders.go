package main

import (
	"errors"
	"path/filepath"
	"strings"
)

// A folderList is the value of a flag that may be repeated, one folder each time.
type folderList []string

func (l *folderList) String() string { return strings.Join(*l, ", ") }

// Set adds a folder.
func (l *folderList) Set(path string) error {
	if path == "" {
		return errors.New("no folder is named")
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		*l = append(*l, abs)
	}
	return err
}

// Type names the value where the flag's usage does not.
func (l *folderList) Type() string { return "folder" }
