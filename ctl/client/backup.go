package client

import (
	"context"
	"io"
	"time"
)

// copyTime is how long the daemon may take to make the copy.
const copyTime = time.Minute

// Backup writes a copy of the daemon's database to w, and returns how many bytes
// it has. Unless the error is nil, what w got is no backup. An error of w comes
// back as it is.
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
	var copied int64
	buffer := make([]byte, 64<<10)
	for {
		rep.extend(0)
		n, err := rep.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return copied, err
			}
			copied += int64(n)
		}
		switch {
		case err == io.EOF: // complete: see head.body
			return copied, nil
		case err != nil:
			return copied, rep.explain(ctx, err)
		}
	}
}
