package etcd

import "fmt"

// codec encodes the messages of this package for gRPC. Other users of gRPC in the process
// keep theirs.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) ([]byte, error) {
	r, ok := v.(request)
	if !ok {
		return nil, fmt.Errorf("encode %T: not a request of etcd's", v)
	}
	return r.append(nil), nil
}

func (codec) Unmarshal(b []byte, v any) error {
	r, ok := v.(response)
	if !ok {
		return fmt.Errorf("decode %T: not a response of etcd's", v)
	}
	return r.parse(b)
}
