package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// serve plays all providers until one fails, which ends the process.
func serve(keyFile, authorityFile string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	cert, err := certificate(authorityFile)
	if err != nil {
		return err
	}
	withTLS := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	ollama := pages(map[string]string{
		"/api/version": `{"version":"0.9.0"}`,
		"/api/tags":    `{"models":[{"name":"tiny:latest","model":"tiny:latest","size":1000}]}`,
		"/api/ps":      `{"models":[]}`,
	})
	cloud := pages(map[string]string{
		"/v1/models": `{"object":"list","data":[{"id":"small","object":"model"}]}`,
	})

	failed := make(chan error)
	play := func(how func() error) { go func() { failed <- how() }() }
	listen := func(port string, config *tls.Config, serve func(net.Listener) error) {
		play(func() error {
			l, err := net.Listen("tcp", "127.0.0.1:"+port)
			if err != nil {
				return err
			}
			if config != nil {
				l = tls.NewListener(l, config)
			}
			return serve(l)
		})
	}
	listen("11434", nil, func(l net.Listener) error { return http.Serve(l, ollama) })
	listen("7001", nil, acceptAll)
	listen("7002", withTLS, acceptAll)
	listen("7003", nil, func(l net.Listener) error {
		return (&dns.Server{Listener: l, Handler: dns.HandlerFunc(answer)}).ActivateAndServe()
	})
	play(func() error { return dns.ListenAndServe("127.0.0.1:7003", "udp", dns.HandlerFunc(answer)) })
	listen("7004", nil, func(l net.Listener) error {
		s := grpc.NewServer()
		healthpb.RegisterHealthServer(s, health.NewServer())
		return s.Serve(l)
	})
	listen("7005", withTLS, func(l net.Listener) error {
		return http.Serve(l, needing(strings.TrimSpace(string(key)), cloud))
	})
	return <-failed
}

// pages answers each path with its JSON.
func pages(of map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		page, ok := of[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, page)
	})
}

// needing refuses requests without the key, in OpenAI's words.
func needing(key string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer "+key {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`)
			return
		}
		next.ServeHTTP(w, q)
	})
}

// acceptAll reads everything and sends nothing.
func acceptAll(l net.Listener) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(io.Discard, c)
		}()
	}
}

// answer resolves one name.
func answer(w dns.ResponseWriter, q *dns.Msg) {
	reply := new(dns.Msg).SetReply(q)
	if len(q.Question) == 1 && q.Question[0].Name == "model.test." && q.Question[0].Qtype == dns.TypeA {
		record, err := dns.NewRR("model.test. 60 IN A 192.0.2.7")
		if err == nil {
			reply.Answer = append(reply.Answer, record)
		}
	}
	_ = w.WriteMsg(reply)
}
