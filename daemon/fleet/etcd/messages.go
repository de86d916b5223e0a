package etcd

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of etcd's API (api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto of
// etcd-io/etcd) that a fleet needs, with the fields that it needs. All of them exist in 3.4.
// A message that is read keeps nothing of the buffer that it was read from.

type request interface{ append(b []byte) []byte }

type response interface{ parse(b []byte) error }

var errMalformed = errors.New("malformed message")

// maxValue is the limit for the value of a key in bytes. Members write none above 64 KiB.
// The value of a longer one is delivered empty, which no parser takes for a value.
const maxValue = 128 << 10

// maxKey is the limit for a key in bytes, the prefix included. Longer ones are passed over.
const maxKey = 512

type header struct {
	cluster  uint64
	revision int64
}

func (h *header) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.uint64(&h.cluster)
		case 3:
			return f.int64(&h.revision)
		}
		return nil
	})
}

type keyValue struct {
	key      string
	created  int64
	modified int64
	value    []byte // not nil
	lease    int64
}

func (kv *keyValue) parse(b []byte) error {
	kv.value = []byte{}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.string(&kv.key)
		case 2:
			return f.int64(&kv.created)
		case 3:
			return f.int64(&kv.modified)
		case 5:
			if len(f.bytes) > maxValue {
				return nil
			}
			return f.clone(&kv.value)
		case 6:
			return f.int64(&kv.lease)
		}
		return nil
	})
}

type rangeRequest struct {
	key, end string
	limit    int64
	revision int64
}

func (r *rangeRequest) append(b []byte) []byte {
	b = appendString(b, 1, r.key)
	b = appendString(b, 2, r.end)
	b = appendInt(b, 3, r.limit)
	return appendInt(b, 4, r.revision)
}

type rangeResponse struct {
	header header
	kvs    []keyValue
	more   bool
}

func (r *rangeResponse) parse(b []byte) error {
	*r = rangeResponse{}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.message(&r.header)
		case 2:
			r.kvs = append(r.kvs, keyValue{})
			return f.message(&r.kvs[len(r.kvs)-1])
		case 3:
			return f.bool(&r.more)
		}
		return nil
	})
}

type putRequest struct {
	key   string
	value []byte
	lease int64
}

func (r *putRequest) append(b []byte) []byte {
	b = appendString(b, 1, r.key)
	b = appendString(b, 2, string(r.value))
	return appendInt(b, 3, r.lease)
}

type deleteRequest struct{ key string }

func (r *deleteRequest) append(b []byte) []byte { return appendString(b, 1, r.key) }

// A compare is equality of a revision; 0: the key does not exist.
type compare struct {
	key      string
	target   compareTarget
	revision int64
}

type compareTarget int64

const (
	created  compareTarget = 1 // CREATE
	modified compareTarget = 2 // MOD
)

func (c *compare) append(b []byte) []byte {
	b = appendInt(b, 2, int64(c.target)) // result is EQUAL, which is 0
	b = appendString(b, 3, c.key)
	number := protowire.Number(5)
	if c.target == modified {
		number = 6
	}
	b = protowire.AppendTag(b, number, protowire.VarintType) // one of a union, sent even if it is 0
	return protowire.AppendVarint(b, uint64(c.revision))
}

type txnRequest struct {
	ifAll   []compare
	success []request // rangeRequest, putRequest, deleteRequest
	failure []request
}

func (r *txnRequest) append(b []byte) []byte {
	for i := range r.ifAll {
		b = appendMessage(b, 1, &r.ifAll[i])
	}
	for _, op := range r.success {
		b = appendMessage(b, 2, operation{op})
	}
	for _, op := range r.failure {
		b = appendMessage(b, 3, operation{op})
	}
	return b
}

// An operation is one of a transaction.
type operation struct{ request }

func (o operation) append(b []byte) []byte {
	number := protowire.Number(1)
	switch o.request.(type) {
	case *putRequest:
		number = 2
	case *deleteRequest:
		number = 3
	}
	return appendMessage(b, number, o.request)
}

type txnResponse struct {
	header    header
	succeeded bool
	found     []keyValue // by the ranges in it
}

func (r *txnResponse) parse(b []byte) error {
	*r = txnResponse{}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.message(&r.header)
		case 2:
			return f.bool(&r.succeeded)
		case 3:
			return f.nested(r.operation)
		}
		return nil
	})
}

func (r *txnResponse) operation(f field) error {
	if f.number != 1 {
		return nil
	}
	var found rangeResponse
	err := f.message(&found)
	r.found = append(r.found, found.kvs...)
	return err
}

// A leaseRequest is a LeaseRevokeRequest, LeaseKeepAliveRequest or LeaseTimeToLiveRequest.
type leaseRequest struct{ id int64 }

func (r *leaseRequest) append(b []byte) []byte { return appendInt(b, 1, r.id) }

type grantRequest struct{ ttl int64 }

func (r *grantRequest) append(b []byte) []byte { return appendInt(b, 1, r.ttl) }

// A leaseResponse is a LeaseGrantResponse, LeaseKeepAliveResponse, LeaseTimeToLiveResponse
// or, without id and ttl, a LeaseRevokeResponse.
type leaseResponse struct {
	header header
	id     int64
	ttl    int64
}

func (r *leaseResponse) parse(b []byte) error {
	*r = leaseResponse{}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.message(&r.header)
		case 2:
			return f.int64(&r.id)
		case 3:
			return f.int64(&r.ttl)
		}
		return nil
	})
}

// A watchRequest creates a watch that reports its progress, in fragments if need be.
type watchRequest struct {
	key, end string
	from     int64
}

func (r *watchRequest) append(b []byte) []byte { return appendMessage(b, 1, watchCreate{r}) }

type watchCreate struct{ *watchRequest }

func (r watchCreate) append(b []byte) []byte {
	b = appendString(b, 1, r.key)
	b = appendString(b, 2, r.end)
	b = appendInt(b, 3, r.from)
	b = appendInt(b, 4, 1)
	return appendInt(b, 8, 1)
}

type event struct {
	keyValue
	deleted bool
}

func (e *event) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.bool(&e.deleted)
		case 2:
			return f.message(&e.keyValue)
		}
		return nil
	})
}

type watchResponse struct {
	header    header
	created   bool
	canceled  bool
	compacted int64
	reason    string
	fragment  bool
	events    []event
}

func (r *watchResponse) parse(b []byte) error {
	*r = watchResponse{}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.message(&r.header)
		case 3:
			return f.bool(&r.created)
		case 4:
			return f.bool(&r.canceled)
		case 5:
			return f.int64(&r.compacted)
		case 6:
			return f.string(&r.reason)
		case 7:
			return f.bool(&r.fragment)
		case 11:
			r.events = append(r.events, event{})
			return f.message(&r.events[len(r.events)-1])
		}
		return nil
	})
}

// A field is one of a message. Either number or bytes has its value, by its type.
type field struct {
	number protowire.Number
	kind   protowire.Type
	varint uint64
	bytes  []byte
}

// fields calls take for each field. Fields of unknown numbers are passed on too.
func fields(b []byte, take func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		f := field{number: number, kind: kind}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

func (f field) uint64(into *uint64) error {
	*into = f.varint
	return f.is(protowire.VarintType)
}

func (f field) int64(into *int64) error {
	*into = int64(f.varint)
	return f.is(protowire.VarintType)
}

func (f field) bool(into *bool) error {
	*into = f.varint != 0
	return f.is(protowire.VarintType)
}

func (f field) string(into *string) error {
	*into = string(f.bytes)
	return f.is(protowire.BytesType)
}

func (f field) clone(into *[]byte) error {
	*into = append([]byte{}, f.bytes...)
	return f.is(protowire.BytesType)
}

func (f field) message(into response) error {
	if err := f.is(protowire.BytesType); err != nil {
		return err
	}
	return into.parse(f.bytes)
}

func (f field) nested(take func(field) error) error {
	if err := f.is(protowire.BytesType); err != nil {
		return err
	}
	return fields(f.bytes, take)
}

func (f field) is(kind protowire.Type) error {
	if f.kind != kind {
		return errMalformed
	}
	return nil
}

// What has its zero value is left out, as proto3 has it.

func appendInt(b []byte, number protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
}

func appendString(b []byte, number protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}

func appendMessage(b []byte, number protowire.Number, m request) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), m.append(nil))
}
