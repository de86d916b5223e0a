package listener

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/sockdiag"
)

// The wire format of rtnetlink(7) for the route to one address: linux/rtnetlink.h,
// struct rtmsg and rtattr.
const (
	routeSize = unix.NLMSG_HDRLEN + unix.SizeofRtMsg
	atType    = 7 // within rtmsg
)

// isLocal asks the kernel for its route: that also knows whole networks that are this
// machine's, and no interface has.
func isLocal(address netip.Addr) (bool, error) {
	reply, err := sockdiag.Exchange(unix.NETLINK_ROUTE, routeTo(address))
	if err != nil {
		return false, err
	}
	return readRoute(reply)
}

func routeTo(address netip.Addr) []byte {
	to := address.AsSlice()
	message := make([]byte, routeSize+unix.SizeofRtAttr, routeSize+unix.SizeofRtAttr+len(to))
	order := binary.NativeEndian
	order.PutUint32(message[0:], uint32(cap(message)))
	order.PutUint16(message[4:], unix.RTM_GETROUTE)
	order.PutUint16(message[6:], unix.NLM_F_REQUEST)
	b := message[unix.NLMSG_HDRLEN:]
	b[0] = unix.AF_INET6
	if address.Is4() {
		b[0] = unix.AF_INET
	}
	b[1] = byte(address.BitLen())
	attribute := message[routeSize:]
	order.PutUint16(attribute[0:], uint16(unix.SizeofRtAttr+len(to)))
	order.PutUint16(attribute[2:], unix.RTA_DST)
	return append(message, to...)
}

// readRoute reads the one message of an answer. Where there is no route, nobody is.
func readRoute(b []byte) (bool, error) {
	kind, body, err := sockdiag.ReadMessage(b)
	switch {
	case errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH):
		return false, nil
	case err != nil:
		return false, err
	case kind != unix.RTM_NEWROUTE || len(body) < unix.SizeofRtMsg:
		return false, errors.New("unrecognised answer")
	}
	return body[atType] == unix.RTN_LOCAL, nil
}
