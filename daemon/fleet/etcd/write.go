package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// write makes a transaction over a connection that works. One that failed is not made again:
// it may have been done. A failure that no other attempt solves ends the session.
func (s *session) write(ctx context.Context, req *txnRequest) (*txnResponse, error) {
	answer := &txnResponse{}
	err := s.ask(ctx, "KV/Txn", req, answer)
	if err == nil {
		err = s.heard(answer.header)
	}
	return answer, s.failed(err)
}

func (s *session) ask(ctx context.Context, method string, req request, resp response) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	var sent error
	err := s.bus.try(ctx, 2, func(ctx context.Context, c *conn) error {
		sent = s.bus.call(ctx, c, method, req, resp)
		if sent != nil {
			sent = classify(sent, c.endpoint.name, c)
			if !isDefinite(sent) {
				s.bus.suspect(c, sent)
			}
		}
		return nil
	})
	if err == nil {
		err = sent
	}
	return err
}

// suspect drops a connection whose server is gone or has no leader, but not for a call
// that failed by itself.
func (b *Bus) suspect(c *conn, err error) {
	if isProblem(err, Unreachable) || isProblem(err, NoLeader) {
		b.drop(c, err)
	}
}

// failed ends the session if an error means that it cannot go on.
func (s *session) failed(err error) error {
	for _, p := range []Problem{NoPermission, NoUser, LeaseGone, OtherCluster} {
		if isProblem(err, p) {
			s.over(err)
		}
	}
	return err
}

// create writes a key that does not exist, with the session's lease.
func (s *session) create(ctx context.Context, key string, value []byte) (revision int64, won bool, err error) {
	answer, err := s.write(ctx, &txnRequest{
		ifAll:   []compare{{key, created, 0}},
		success: []request{&putRequest{key, value, s.lease}},
		failure: []request{&rangeRequest{key: key}},
	})
	switch {
	case err != nil:
		return 0, false, err
	case answer.succeeded:
		return answer.header.revision, true, nil
	case len(answer.found) > 0:
		return answer.found[0].created, false, nil
	}
	return 0, false, nil
}

// Claim implements [bus.Session].
func (s *session) Claim(ctx context.Context, key string, value []byte) (revision int64, won bool, err error) {
	return s.create(ctx, s.bus.Prefix+key, value)
}

// Put implements [bus.Session].
func (s *session) Put(ctx context.Context, key string, value []byte, leased bool) (revision int64, err error) {
	put := &putRequest{key: s.bus.Prefix + key, value: value}
	if leased {
		put.lease = s.lease
	}
	answer, err := s.write(ctx, &txnRequest{success: []request{put}})
	return answer.header.revision, err
}

// PutFenced implements [bus.Session].
func (s *session) PutFenced(ctx context.Context, claim string, epoch int64, key string, value []byte) (revision int64, held bool, err error) {
	answer, err := s.write(ctx, &txnRequest{
		ifAll:   []compare{{s.bus.Prefix + claim, created, epoch}},
		success: []request{&putRequest{s.bus.Prefix + key, value, s.lease}},
	})
	return answer.header.revision, answer.succeeded, err
}

// PutFor implements [bus.Session]. The lease has its key's time, and is not renewed.
func (s *session) PutFor(ctx context.Context, key string, value []byte, ttl time.Duration) (revision int64, err error) {
	key = s.bus.Prefix + key
	seconds := max(1, int64((ttl+time.Second-1)/time.Second))
	for range 5 { // others may write it at the same time
		var now rangeResponse
		if err := s.ask(ctx, "KV/Range", &rangeRequest{key: key}, &now); err != nil {
			return 0, s.failed(err)
		}
		seen := int64(0)
		if len(now.kvs) > 0 {
			seen = now.kvs[0].modified
			left, err := s.ttl(ctx, now.kvs[0].lease)
			if err != nil {
				return 0, err
			}
			if now.kvs[0].lease == 0 || left >= seconds {
				return seen, nil
			}
		}
		revision, done, err := s.replace(ctx, key, value, seen, seconds)
		if done || err != nil {
			return revision, err
		}
	}
	return 0, errors.New("the key changes all the time")
}

// replace writes a key with a lease of its own, if it is as it was seen.
func (s *session) replace(ctx context.Context, key string, value []byte, seen, seconds int64) (revision int64, done bool, err error) {
	var granted leaseResponse
	if err := s.ask(ctx, "Lease/LeaseGrant", &grantRequest{seconds}, &granted); err != nil {
		return 0, false, s.failed(err)
	}
	answer, err := s.write(ctx, &txnRequest{
		ifAll:   []compare{{key, modified, seen}},
		success: []request{&putRequest{key, value, granted.id}},
	})
	return answer.header.revision, answer.succeeded, err
}

// ttl is how many whole seconds a lease has left at least; negative: it is gone.
func (s *session) ttl(ctx context.Context, lease int64) (int64, error) {
	if lease == 0 {
		return -1, nil
	}
	var answer leaseResponse
	err := s.ask(ctx, "Lease/LeaseTimeToLive", &leaseRequest{lease}, &answer)
	if isProblem(err, LeaseGone) {
		return -1, nil
	}
	return answer.ttl, err
}

// Left implements [bus.Session]. etcd leaves out the fraction of the last second; this
// adds a second, so that a limit ends late and never early.
func (s *session) Left(ctx context.Context, lease int64) (time.Duration, error) {
	ttl, err := s.ttl(ctx, lease)
	if err != nil || ttl < 0 {
		return 0, err
	}
	return time.Duration(ttl+1) * time.Second, nil
}

// Delete implements [bus.Session].
func (s *session) Delete(ctx context.Context, keys ...string) error {
	_, err := s.remove(ctx, nil, keys)
	return err
}

// DeleteFenced implements [bus.Session].
func (s *session) DeleteFenced(ctx context.Context, claim string, epoch int64, keys ...string) (held bool, err error) {
	return s.remove(ctx, []compare{{s.bus.Prefix + claim, created, epoch}}, keys)
}

func (s *session) remove(ctx context.Context, ifAll []compare, keys []string) (done bool, err error) {
	if len(keys) > maxOps {
		return false, fmt.Errorf("delete %d keys: more than %d in one transaction", len(keys), maxOps)
	}
	if len(keys) == 0 {
		return true, nil
	}
	req := &txnRequest{ifAll: ifAll}
	for _, key := range keys {
		req.success = append(req.success, &deleteRequest{s.bus.Prefix + key})
	}
	answer, err := s.write(ctx, req)
	return answer.succeeded, err
}
