//go:build !unix

package examine

import "io/fs"

func ownerOf(fs.FileInfo) int { return -1 }
