package portwatch

import "golang.org/x/sys/unix"

const (
	// mostSpans keeps a program, and the one that it replaces, within the memory that the
	// kernel gives a socket for options: 20 KiB by default (net.core.optmem_max).
	mostSpans = 200
	pass      = 0xffffffff

	// Within a message: struct nlmsghdr, then struct inet_diag_msg of linux/inet_diag.h.
	atSourcePort = unix.NLMSG_HDRLEN + 4
	atPeerPort   = unix.NLMSG_HDRLEN + 6
)

// program passes a message about a socket at one of the ports that has no peer. A
// connection has one, from its first packet until it is destroyed.
func program(ports []uint16) []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: at}
	}
	jump := func(test uint16, k uint16, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: uint32(k), Jt: yes, Jf: no}
	}
	end := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	code := []unix.SockFilter{load(atPeerPort), jump(unix.BPF_JEQ, 0, 1, 0), end(0), load(atSourcePort)}
	for _, s := range spans(ports, mostSpans) {
		code = append(code, jump(unix.BPF_JGE, s.first, 0, 2), jump(unix.BPF_JGT, s.last, 1, 0), end(pass))
	}
	return append(code, end(0))
}
