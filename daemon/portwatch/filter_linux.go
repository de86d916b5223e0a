package portwatch

import "golang.org/x/sys/unix"

const (
	pass = 0xffffffff

	// Within a message: struct nlmsghdr, then struct inet_diag_msg of linux/inet_diag.h.
	atSourcePort = unix.NLMSG_HDRLEN + 4
	atPeerPort   = unix.NLMSG_HDRLEN + 6
)

// spanLimits are how many spans a program may have, the most first. A program has at most
// 4,096 instructions. Before Linux 6.9 one with more than the least may not fit, beside the
// one that it replaces, into the memory that a socket has for options (net.core.optmem_max).
var spanLimits = [...]int{1300, 200}

// program passes a message about a socket at one of the ports that has no peer. A
// connection has one until it is destroyed, unless it was refused or aborted.
func program(ports []uint16, mostSpans int) []unix.SockFilter {
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
