// Command archive packs a folder into a .tar.gz or a .zip whose bytes depend only on the
// names, contents and executable bits in the folder: entries are sorted, belong to root, and
// all have the given time. build.sh uses it because tar(1) and zip(1) differ between systems.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	out := flag.String("o", "", "`file` to write, a .tar.gz or a .zip")
	seconds := flag.Int64("time", 0, "modification time of every entry, in `seconds` since 1970")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: archive -o FILE.tar.gz|FILE.zip -time SECONDS FOLDER")
		os.Exit(2)
	}
	if err := create(*out, flag.Arg(0), time.Unix(*seconds, 0).UTC()); err != nil {
		fmt.Fprintf(os.Stderr, "archive: %v\n", err)
		os.Exit(1)
	}
}

// create writes the archive of a folder, with its entries below the folder's name.
func create(name, folder string, at time.Time) error {
	write := writeTarGz
	switch {
	case strings.HasSuffix(name, ".tar.gz"):
	case strings.HasSuffix(name, ".zip"):
		write = writeZip
	default:
		return fmt.Errorf("%s: the name must end in .tar.gz or .zip", name)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f, folder, at), f.Close())
}

// each calls add for every folder and file in the order of their names, with the entry's path
// and mode.
func each(folder string, add func(entry string, mode fs.FileMode, source string) error) error {
	top := filepath.Base(folder)
	return filepath.WalkDir(folder, func(source string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, source)
		if err != nil {
			return err
		}
		entry := path.Join(top, filepath.ToSlash(below))
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return add(entry+"/", fs.ModeDir|0o755, source)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", source)
		case info.Mode()&0o100 != 0:
			return add(entry, 0o755, source)
		}
		return add(entry, 0o644, source)
	})
}

func writeTarGz(w io.Writer, folder string, at time.Time) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	err = each(folder, func(entry string, mode fs.FileMode, source string) error {
		h := &tar.Header{
			Name: entry, Mode: int64(mode.Perm()), ModTime: at, Typeflag: tar.TypeDir,
			Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		var data []byte
		if !mode.IsDir() {
			h.Typeflag = tar.TypeReg
			if data, err = os.ReadFile(source); err != nil {
				return err
			}
			h.Size = int64(len(data))
		}
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		_, err := archive.Write(data)
		return err
	})
	return errors.Join(err, archive.Close(), packed.Close())
}

func writeZip(w io.Writer, folder string, at time.Time) error {
	archive := zip.NewWriter(w)
	err := each(folder, func(entry string, mode fs.FileMode, source string) error {
		h := &zip.FileHeader{Name: entry, Modified: at, Method: zip.Deflate}
		h.SetMode(mode)
		if mode.IsDir() {
			h.Method = zip.Store
		}
		to, err := archive.CreateHeader(h)
		if err != nil || mode.IsDir() {
			return err
		}
		data, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		_, err = to.Write(data)
		return err
	})
	return errors.Join(err, archive.Close())
}
