package control

import "github.com/providerd/providerd/store/provider"

// defaultLines is how many lines of the log are shown by default.
const defaultLines = 100

// logLines answers GET /api/daemon/log. Its cursor counts the lines since the
// daemon started; a line that has left the ring is gone.
func (s *Server) logLines(c *call) *provider.Error {
	count := uint64(defaultLines)
	if c.query.lines != nil {
		count = *c.query.lines
	}
	lines, cursor := s.lines.Tail(count) // before the header, which announces that we follow
	st := s.openStream(c)
	if st == nil {
		return nil
	}
	defer st.close()
	for going := st.sendLines(lines, cursor); going && c.query.follow; {
		more := s.lines.Next() // taken before reading, so that none is missed
		lines, next, lost := s.lines.Since(cursor)
		switch {
		case lost:
			st.end(endSlowReader, cursor)
			return nil
		case len(lines) == 0:
			going = st.rest(more, cursor)
		default:
			cursor = next
			going = st.sendLines(lines, cursor)
		}
	}
	return nil
}

// sendLines writes lines of the log, the last of which has the number cursor. It reports
// whether the stream continues.
func (st *stream) sendLines(lines []provider.LogLine, cursor uint64) bool {
	first := cursor - uint64(len(lines)) + 1
	for i := range lines {
		if err := st.add(&lines[i]); err != nil {
			return false // a logging.Ring keeps nothing that cannot be encoded
		}
		if st.full() && !st.proceed(st.flush(), first+uint64(i)) {
			return false
		}
	}
	return st.proceed(st.flush(), cursor)
}
