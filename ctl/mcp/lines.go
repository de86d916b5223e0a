package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// longest is how long a line may be. What a client sends is far shorter.
	longest = 1 << 20

	// farewell is how long calls may take to finish once the input has ended.
	farewell = 40 * time.Millisecond

	// mostOpen is how many calls may be without an answer before no more are read.
	mostOpen = 512
)

// lines is a connection with one message of JSON-RPC on each line. Unlike the transport of
// the SDK it answers a line that is no message with an error, and continues.
type lines struct {
	in     *bufio.Reader
	heard  chan heard
	closed chan struct{}
	over   chan struct{} // closed when the input has ended
	once   sync.Once

	writing sync.Mutex // guards out; held for as long as the client does not read
	out     io.Writer

	mu      sync.Mutex              // guards open; never held during a write
	open    map[jsonrpc.ID]openCall // calls without an answer
	settled chan struct{}           // has a signal if an answer was written
}

// heard is what came in: a message, or why there will be none.
type heard struct {
	message jsonrpc.Message
	err     error
}

func newLines(in io.Reader, out io.Writer) *lines {
	return &lines{
		in: bufio.NewReader(in), out: out,
		heard: make(chan heard), closed: make(chan struct{}), over: make(chan struct{}),
		open: map[jsonrpc.ID]openCall{}, settled: make(chan struct{}, 1),
	}
}

// Connect implements [mcp.Transport].
func (l *lines) Connect(context.Context) (mcp.Connection, error) {
	go l.listen()
	return l, nil
}

// SessionID implements [mcp.Connection].
func (l *lines) SessionID() string { return "" }

// Close implements [mcp.Connection].
func (l *lines) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Read implements [mcp.Connection].
func (l *lines) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case h := <-l.heard:
		return h.message, h.err
	case <-l.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write implements [mcp.Connection].
func (l *lines) Write(ctx context.Context, message jsonrpc.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	line, err := jsonrpc.EncodeMessage(message)
	if err != nil {
		return err
	}
	answer, isAnswer := message.(*jsonrpc.Response)
	if !isAnswer || l.wants(answer.ID) {
		err = l.write(line)
	}
	if isAnswer {
		l.mu.Lock()
		delete(l.open, answer.ID)
		l.mu.Unlock()
		select {
		case l.settled <- struct{}{}:
		default:
		}
	}
	return err
}

// write writes a line.
func (l *lines) write(line []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := l.out.Write(append(line, '\n'))
	return err
}

// accept notes a call. While too many have no answer, it waits until one has: a client that
// writes and never reads must not fill the memory.
func (l *lines) accept(call *jsonrpc.Request) {
	for {
		l.mu.Lock()
		if len(l.open) < mostOpen {
			l.open[call.ID] = openCall{firm: call.Method == "initialize"}
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		select {
		case <-l.settled:
		case <-l.closed:
			return
		}
	}
}

// listen reads until the input ends, and passes on each message. At the end it gives the
// calls in progress a moment to finish, for a client that writes all it wants at once.
func (l *lines) listen() {
	for {
		message, err := l.next()
		switch request, _ := message.(*jsonrpc.Request); {
		case request == nil:
		case request.IsCall():
			l.accept(request)
		case request.Method == "notifications/cancelled":
			l.cancelled(request.Params)
		}
		if err != nil {
			l.settle()
			close(l.over)
		}
		select {
		case l.heard <- heard{message, err}:
		case <-l.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// settle waits until all calls are answered, for a moment.
func (l *lines) settle() {
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	for {
		l.mu.Lock()
		left := len(l.open)
		l.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-l.settled:
		case <-timer.C:
			return
		case <-l.closed:
			return
		}
	}
}

// next is the next message. It answers lines that are none.
func (l *lines) next() (jsonrpc.Message, error) {
	for {
		line, err := l.line()
		if line = bytes.TrimSpace(line); len(line) == 0 && err == nil {
			continue
		}
		if errors.Is(err, errTooLong) {
			if err := l.refuse(nil, jsonrpc.CodeInvalidRequest, "the message is longer than 1 MiB"); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		message, refused := decode(line)
		if refused == nil {
			return message, nil
		}
		if err := l.refuse(refused.id, refused.code, refused.why); err != nil {
			return nil, err
		}
	}
}

var errTooLong = errors.New("line too long")

// line reads a line, of any length, but keeps only one that is not too long. It is valid
// until the next read.
func (l *lines) line() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return whole(line, err)
	}
	kept := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.in.ReadSlice('\n')
		if kept = append(kept, line...); len(kept) > longest {
			kept = kept[:longest+1]
		}
	}
	if len(kept) > longest && (err == nil || errors.Is(err, io.EOF)) {
		return nil, errTooLong
	}
	return whole(kept, err)
}

// whole is a line whose end is that of the input.
func whole(line []byte, err error) ([]byte, error) {
	if errors.Is(err, io.EOF) && len(line) > 0 {
		return line, nil
	}
	return line, err
}

// A refusal is why a line is not a message.
type refusal struct {
	id   json.RawMessage
	code int64
	why  string
}

// decode reads a message.
func decode(line []byte) (jsonrpc.Message, *refusal) {
	if !json.Valid(line) {
		return nil, &refusal{nil, jsonrpc.CodeParseError, "the line is not JSON"}
	}
	if line[0] != '{' {
		return nil, &refusal{nil, jsonrpc.CodeInvalidRequest, "write one message on each line: batches are not supported"}
	}
	message, err := jsonrpc.DecodeMessage(line)
	if err != nil {
		var named struct{ ID json.RawMessage }
		_ = json.Unmarshal(line, &named) // whatever it is, the message is refused
		if len(named.ID) == 0 || named.ID[0] == '{' || named.ID[0] == '[' {
			named.ID = nil
		}
		return nil, &refusal{named.ID, jsonrpc.CodeInvalidRequest, "not a message of JSON-RPC 2.0"}
	}
	return message, nil
}

// refuse answers a line that is not a message.
func (l *lines) refuse(id json.RawMessage, code int64, why string) error {
	if id == nil {
		id = json.RawMessage("null")
	}
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": why}})
	if err != nil {
		return err
	}
	return l.write(line)
}
