package client

import (
	"context"
	"encoding/base64"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// copyTime is how long the daemon may take to make the copy.
const copyTime = time.Minute

// Backup writes a copy of the daemon's database to w, and returns its size in bytes. It
// checks the copy: its length, its checksum if the daemon sends one, and that it is a
// database of providerd with all of its pages. Unless the error is nil, w does not have a
// backup. If the data does not even begin like one, nothing is written. An error of w is
// returned as it is.
func (c *Client) Backup(ctx context.Context, w io.Writer) (int64, error) {
	rep, err := c.send(ctx, Request{Path: BackupPath, Wait: copyTime})
	if err != nil {
		return 0, err
	}
	defer rep.close()
	if rep.status/100 != 2 || rep.chunked || rep.length == 0 {
		body, err := rep.readAll(maxLine)
		if err == nil {
			err = replyError(rep.head, body)
			if err != nil {
				return 0, err
			}
			err = protocolError("a backup without a length")
		}
		return 0, rep.explain(ctx, err)
	}
	rep.patience = c.timeout()
	return rep.copyDatabase(ctx, w)
}

// copyDatabase copies the body to w, and checks it on the way.
func (r *reply) copyDatabase(ctx context.Context, w io.Writer) (copied int64, err error) {
	var check databaseCheck
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	buffer := make([]byte, mostPage+pageHeader+metaSize) // the first part has both meta pages
	for copied < r.length {
		n, err := r.fill(buffer[:min(int64(len(buffer)), r.length-copied)])
		if err != nil {
			return copied, r.explain(ctx, err)
		}
		if copied == 0 {
			if err := check.begin(buffer[:n], r.length); err != nil {
				return 0, notABackup(err)
			}
		}
		check.pass(buffer[:n])
		sum.Write(buffer[:n])
		if _, err := w.Write(buffer[:n]); err != nil {
			return copied, err
		}
		copied += int64(n)
	}
	if err := check.end(); err != nil {
		return copied, notABackup(err)
	}
	if told := r.checksum; told != "" && told != base64.StdEncoding.EncodeToString(sum.Sum(nil)) {
		return copied, notABackup(errors.New("its checksum does not match the one that the daemon sent"))
	}
	return copied, nil
}

// fill reads until p is full, and allows the full time for each read.
func (r *reply) fill(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var part int
		r.extend(0)
		part, err = r.Read(p[n:])
		n += part
	}
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func notABackup(err error) error {
	return provider.Errorf(provider.Internal, "try again; if it happens again, check --socket and PROVIDERD_SOCKET, and see: providerctl logs",
		"what the daemon sent is not a complete backup: %v", err)
}

// checksumOf finds the CRC-32C in a Repr-Digest header (RFC 9530), crc32c=:BASE64:, among
// others. The daemon also sends SHA-256, but crypto/sha256 would slow down the start of
// every command more than it is worth for a local socket.
func checksumOf(header string) string {
	for member := range strings.SplitSeq(header, ",") {
		if value, ok := strings.CutPrefix(strings.Trim(member, " \t"), "crc32c=:"); ok {
			return strings.TrimSuffix(value, ":")
		}
	}
	return ""
}
