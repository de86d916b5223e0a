package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"
	"github.com/providerd/providerd/daemon/probe/transport"
)

const (
	maxDatagram = 64 << 10 // bytes; none can be larger
	maxStrays   = 16       // datagrams that are not the answer
)

// A strayError means that what came is not the answer to the question.
type strayError struct {
	why   string
	heard string // if it is not DNS at all
	err   error  // may be nil
}

func (e *strayError) Error() string { return e.why }
func (e *strayError) Unwrap() error { return e.err }

// exchange asks the server's addresses one after the other: UDP has no connections, so only
// an answer shows that a server is there.
func (l *lookup) exchange(ctx context.Context, r *run) (*dns.Msg, error) {
	d := r.p.dialer
	addresses, err := d.Lookup(ctx, r.trace, d.Address)
	if err != nil {
		return nil, err
	}
	var silent error
	failed := &transport.DialError{}
	deadline, _ := ctx.Deadline()
	for i, address := range addresses {
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addresses)-i))
		reply, err := l.askAt(share, r, address)
		cancel()
		stray, isStray := err.(*strayError)
		switch {
		case err == nil:
			return reply, nil
		case isStray:
			return nil, stray
		case transport.IsTimeout(err):
			silent = err
		default:
			failed.Errs = append(failed.Errs, err)
		}
	}
	if silent != nil {
		return nil, silent
	}
	return nil, failed
}

// askAt asks one address, over TCP if the answer is too long for UDP.
func (l *lookup) askAt(ctx context.Context, r *run, address string) (*dns.Msg, error) {
	query := &dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true},
		Question: []dns.Question{l.question},
	}
	packed, err := query.Pack()
	if err != nil {
		return nil, &strayError{why: fmt.Sprintf("pack the question: %v", err)}
	}
	reply, err := overUDP(ctx, r, address, query, packed)
	if err != nil {
		return nil, err
	}
	r.trace.Ready(nil)
	r.p.dialer.Remember(address, nil)
	if !reply.Truncated {
		return reply, nil
	}
	reply, err = overTCP(ctx, r, address, query, packed)
	if err != nil && !transport.IsTimeout(err) {
		return nil, &strayError{why: fmt.Sprintf("the answer is too long for UDP, and TCP failed: %v", err), err: err}
	}
	return reply, err
}

// overUDP waits for the answer, and skips other datagrams.
func overUDP(ctx context.Context, r *run, address string, query *dns.Msg, packed []byte) (*dns.Msg, error) {
	c, err := r.p.dialer.DialOne(ctx, r.trace, "udp", address)
	if err != nil {
		return nil, err
	}
	defer c.Close() // nothing is left in it that matters
	defer endWith(ctx, c)()
	if _, err := c.Write(packed); err != nil {
		return nil, err
	}
	var stray *strayError
	buf := make([]byte, maxDatagram)
	for range maxStrays {
		n, err := c.Read(buf)
		if err != nil && transport.IsTimeout(err) && stray != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		var reply *dns.Msg
		if reply, stray = read(buf[:n], query); stray == nil {
			return reply, nil
		}
	}
	return nil, stray
}

// overTCP reads one message, whose length comes before it.
func overTCP(ctx context.Context, r *run, address string, query *dns.Msg, packed []byte) (*dns.Msg, error) {
	c, err := r.p.dialer.DialOne(ctx, r.trace, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer c.Close() // nothing is left in it that matters
	defer endWith(ctx, c)()
	r.trace.Ready(nil)
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, buf); err != nil {
		return nil, err
	}
	reply, stray := read(buf, query)
	if stray == nil && reply.Truncated {
		stray = &strayError{why: "the answer is truncated too"}
	}
	if stray != nil {
		return nil, stray
	}
	return reply, nil
}

// read accepts a message as the answer if it is one to this very question. An error may
// leave out the question, and a truncated answer may end anywhere.
func read(b []byte, query *dns.Msg) (*dns.Msg, *strayError) {
	reply := new(dns.Msg)
	err := reply.Unpack(b)
	asked := query.Question[0]
	switch {
	case len(b) < 12, err != nil && !reply.Response:
		return nil, &strayError{why: "the reply is not a DNS message", heard: string(b[:min(len(b), transport.Sniffed)])}
	case reply.Id != query.Id || !reply.Response || reply.Opcode != dns.OpcodeQuery:
		return nil, &strayError{why: "the reply does not answer the question"}
	case reply.Truncated:
		return reply, nil
	case err != nil:
		return nil, &strayError{why: fmt.Sprintf("the answer is broken: %v", err)}
	case len(reply.Question) == 0 && reply.Rcode != dns.RcodeSuccess:
		return reply, nil
	case len(reply.Question) != 1 || !same(reply.Question[0], asked):
		return nil, &strayError{why: "it answered a different question"}
	}
	return reply, nil
}

func same(a, b dns.Question) bool {
	return dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}

// endWith interrupts the connection when ctx ends. The function that it returns stops that,
// and waits if it has begun.
func endWith(ctx context.Context, c net.Conn) (release func()) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.SetDeadline(time.Unix(1, 0)) // long ago
		close(over)
	})
	return func() {
		if !stop() {
			<-over
		}
	}
}
