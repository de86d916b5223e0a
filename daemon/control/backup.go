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

// backupChunk is how much of a backup is written under one deadline.
const backupChunk = 256 << 10

// backup answers GET /api/daemon/backup: a copy of the database. It is made whole
// before its first byte is sent, and read from a file of its own, so that a reader
// may be as slow as a stream's.
func (s *Server) backup(c *call) *provider.Error {
	c.conn.freeSlot() // it takes the disk's time, and its reader's
	var b *store.Backup
	var err error
	s.reserve.Lend(3, func() { b, err = s.store.Backup() })
	s.extendReply(c)
	if err != nil {
		return backupError(err)
	}
	defer b.Close() // an error means that its space comes back at the next start
	s.log.Info("Backup asked for", append(c.conn.peer.LogArgs(), "bytes", b.Size())...)
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
			s.log.Warn("A backup was cut short", "error", err)
			panic(http.ErrAbortHandler) // the reader sees that it is not whole
		}
	}
	s.extendReply(c) // net/http has some of it still
	return nil
}

// digest is how RFC 9530 writes it: SHA-256 for whoever keeps the file, and CRC-32C for
// providerctl, which links no cryptography.
func digest(sums store.Sums) string {
	quick := binary.BigEndian.AppendUint32(nil, sums.CRC32C)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sums.SHA256[:]) + ":, crc32c=:" + base64.StdEncoding.EncodeToString(quick) + ":"
}

// backupError says what to do about a backup that there is not.
func backupError(err error) *provider.Error {
	if errors.Is(err, store.ErrBackupUnderWay) {
		return provider.Errorf(provider.TooMany, "try again when it is done", "%v", err)
	}
	return provider.Errorf(provider.StoreFailing, cmp.Or(provider.HintOf(err), "see: providerctl health"), "%v", err)
}
