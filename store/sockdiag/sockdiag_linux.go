package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// The wire format of sock_diag(7) for one TCP socket: linux/inet_diag.h, struct
// inet_diag_req_v2 and inet_diag_msg. Addresses and ports are in network byte order, the
// rest in that of this machine.
const (
	requestSize = unix.NLMSG_HDRLEN + 56
	messageSize = 72

	atState = 1 // within inet_diag_msg
	atUID   = 64
	atInode = 68

	listening   = 10 // TCP_LISTEN
	allStates   = ^uint32(0)
	loopback    = 1 // the index of lo, through which a machine reaches all its own addresses
	anyCookie   = ^uint64(0)
	answerWait  = time.Second // the kernel answers at once, or the answer was lost
	largeEnough = 4 << 10
)

// Find returns the socket at local that is connected to remote. If there is none, or if remote
// is the zero value, it returns the socket that listens at local. The most specific bind wins,
// and an IPv6 wildcard can serve IPv4. Find looks in the network namespace of the calling
// thread.
func Find(local, remote netip.AddrPort) (Socket, error) {
	reply, err := Exchange(unix.NETLINK_SOCK_DIAG, request(local, remote))
	if err != nil {
		return Socket{}, err
	}
	return Read(reply)
}

// Exchange sends a message to the kernel over a protocol of netlink(7), and returns the answer.
func Exchange(protocol int, message []byte) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(answerWait.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return nil, fmt.Errorf("set the timeout: %w", err)
	}
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	reply := make([]byte, largeEnough)
	for {
		n, _, err := unix.Recvfrom(fd, reply, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		return reply[:n], nil
	}
}

func request(local, remote netip.AddrPort) []byte {
	message := make([]byte, requestSize)
	order := binary.NativeEndian
	order.PutUint32(message[0:], requestSize)
	order.PutUint16(message[4:], unix.SOCK_DIAG_BY_FAMILY)
	order.PutUint16(message[6:], unix.NLM_F_REQUEST)
	b := message[unix.NLMSG_HDRLEN:]
	b[0] = unix.AF_INET6
	if local.Addr().Is4() {
		b[0] = unix.AF_INET
	}
	b[1] = unix.IPPROTO_TCP
	states := allStates
	if !remote.IsValid() { // its fields stay zero, and connections must not match
		states = 1 << listening
	}
	order.PutUint32(b[4:], states)
	id := b[8:]
	binary.BigEndian.PutUint16(id[0:], local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	copy(id[4:20], local.Addr().AsSlice())
	copy(id[20:36], remote.Addr().AsSlice())
	order.PutUint32(id[36:], loopback)
	order.PutUint64(id[40:], anyCookie)
	return message
}

// ReadMessage returns the type and the payload of the first message of an answer. If the
// message is an error of the kernel, ReadMessage returns that.
func ReadMessage(b []byte) (kind uint16, body []byte, err error) {
	order := binary.NativeEndian
	if len(b) < unix.NLMSG_HDRLEN+4 {
		return 0, nil, errors.New("the answer is too short")
	}
	kind, body = order.Uint16(b[4:]), b[unix.NLMSG_HDRLEN:]
	if kind == unix.NLMSG_ERROR {
		return kind, nil, unix.Errno(-int32(order.Uint32(body)))
	}
	return kind, body, nil
}

// Read reads the only message of an answer about a socket.
func Read(b []byte) (Socket, error) {
	kind, body, err := ReadMessage(b)
	switch {
	case errors.Is(err, unix.ENOENT):
		return Socket{}, ErrNone
	case err != nil:
		return Socket{}, err
	}
	if kind != unix.SOCK_DIAG_BY_FAMILY || len(body) < messageSize {
		return Socket{}, errors.New("unrecognised answer")
	}
	order := binary.NativeEndian
	return Socket{
		Listening: body[atState] == listening,
		UID:       order.Uint32(body[atUID:]),
		Inode:     uint64(order.Uint32(body[atInode:])),
	}, nil
}
