package fleettest

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/providerd/providerd/daemon/fleet/etcd"
)

// A tap is between a member and a server of etcd, ends TLS in both directions, and keeps what
// passes: as it is on the wire, and as it is without TLS.
type tap struct {
	url string

	mu      sync.Mutex
	wire    []*bytes.Buffer // one for each connection and direction
	plain   []*bytes.Buffer
	members []*bytes.Buffer // those of plain that a member sent
	conns   []net.Conn
}

// A recorded connection keeps what is read from it.
type recorded struct {
	net.Conn
	t  *tap
	to *bytes.Buffer
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.to.Write(b[:n])
	return n, err
}

// record keeps what is read from a connection in one of the lists.
func (p *tap) record(c net.Conn, lists ...*[]*bytes.Buffer) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &recorded{c, p, &bytes.Buffer{}}
	for _, list := range lists {
		*list = append(*list, r.to)
	}
	p.conns = append(p.conns, c)
	return r
}

// tap makes one on a host, between a member and each of etcd's servers.
func (l *lab) tap(h *host, member string) (taps []*tap) {
	l.t.Helper()
	own := l.authority.in(l.t.TempDir()).server("tap", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(own.cert, own.key)
	must(l.t, err)
	server := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{"h2"}}
	files := l.authority.in(l.t.TempDir()).client(member, time.Hour)
	client, err := etcd.Files(l.authority.file(), files.cert, files.key)()
	must(l.t, err)
	client.NextProtos = []string{"h2"}
	for _, s := range l.servers {
		taps = append(taps, newTap(l.t, h, s.url, server, client))
	}
	return taps
}

func newTap(t testing.TB, h *host, url string, server, client *tls.Config) *tap {
	listener := h.loopback()
	p := &tap{url: "https://" + listener.Addr().String()}
	client = client.Clone()
	client.ServerName, _, _ = net.SplitHostPort(strings.TrimPrefix(url, "https://"))
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := h.dial(context.Background(), url)
			if err != nil {
				in.Close()
				continue
			}
			inside := tls.Server(p.record(in, &p.wire), server)
			outside := tls.Client(p.record(out, &p.wire), client)
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(to, from) // until one of both ends
				in.Close()
				out.Close()
			}
			running.Go(func() { pass(outside, p.record(inside, &p.plain, &p.members)) })
			running.Go(func() { pass(inside, p.record(outside, &p.plain)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		running.Wait()
	})
	return p
}

// each is the content of each connection and direction of some lists.
func (p *tap) each(list *[]*bytes.Buffer, do func(content []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range *list {
		do(bytes.Clone(b.Bytes()))
	}
}

// headers are the fields of all headers of HTTP/2 that a member sent. They are compressed on
// the wire.
func headers(t testing.TB, content []byte) (all []string) {
	t.Helper()
	content, is := bytes.CutPrefix(content, []byte(http2.ClientPreface))
	if !is {
		t.Errorf("a connection begins with %.40q", content)
		return nil
	}
	frames := http2.NewFramer(nil, bytes.NewReader(content))
	frames.ReadMetaHeaders = newDecoder()
	for {
		frame, err := frames.ReadFrame()
		if err != nil {
			return all // its last frame may be cut
		}
		if h, ok := frame.(*http2.MetaHeadersFrame); ok {
			for _, f := range h.Fields {
				all = append(all, f.Name+": "+f.Value)
			}
		}
	}
}
