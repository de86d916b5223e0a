package control

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// backupChunk is how many bytes of a backup are written under one deadline.
const backupChunk = 256 << 10

// backup answers GET /api/daemon/backup with a copy of the database. The copy is complete
// before its first byte is sent and has a file of its own, so that its reader can be as
// slow as that of a stream.
func (s *Server) backup(c *call) *provider.Error {
	c.conn.freeSlot() // it is bound by the disk and its reader
	var b *store.Backup
	var err error
	s.reserve.Lend(3, func() { b, err = s.store.Backup() })
	s.extendReply(c)
	if err != nil {
		return backupError(err)
	}
	defer b.Close() // on an error its space is freed at the next start
	s.log.Info("backup requested", append(c.conn.peer.LogArgs(), "bytes", b.Size())...)
	c.count(http.StatusOK)
	h := c.w.Header()
	h["Content-Type"] = contentBytes
	h["Content-Length"] = []string{strconv.FormatInt(b.Size(), 10)}
	h.Set("Repr-Digest", digest(b.Sums()))
	h.Set("Cache-Control", "no-store")
	if c.r.Method == http.MethodHead {
		return nil
	}
	for left := b.Size(); left > 0; left -= backupChunk {
		c.conn.SetWriteDeadline(time.Now().Add(s.slowAfter))
		if _, err := io.CopyN(c.w, b, min(left, backupChunk)); err != nil {
			s.log.Warn("backup aborted", "error", err)
			panic(http.ErrAbortHandler) // the reader sees that it is incomplete
		}
	}
	s.extendReply(c) // net/http still buffers some of it
	return nil
}

// digest is written as in RFC 9530: SHA-256 for those who keep the file, and CRC-32C for
// providerctl, which links no cryptography.
func digest(sums store.Sums) string {
	quick := binary.BigEndian.AppendUint32(nil, sums.CRC32C)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sums.SHA256[:]) + ":, crc32c=:" + base64.StdEncoding.EncodeToString(quick) + ":"
}

// backupError says what to do about a backup that failed.
func backupError(err error) *provider.Error {
	if errors.Is(err, store.ErrBackupUnderWay) {
		return provider.Errorf(provider.TooMany, "try again when it is done", "%v", err)
	}
	return provider.Errorf(provider.StoreFailing, cmp.Or(provider.HintOf(err), "see: providerctl health"), "%v", err)
}
