package home

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Accounts of services have homes such as /usr/sbin or /, which are not theirs.
func TestOfAccount_OnlyItsOwnFolder(t *testing.T) {
	list, err := os.ReadFile(accounts)
	if err != nil {
		t.Skip(err)
	}
	tried := 0
	for line := range strings.Lines(string(list)) {
		entry := strings.SplitN(line, ":", fields)
		if len(entry) < fields {
			continue
		}
		uid, err := strconv.Atoi(entry[numberField])
		info, statErr := os.Stat(entry[homeField])
		if err != nil || statErr != nil || inAccounts(strings.NewReader(string(list)), uid) != entry[homeField] {
			continue
		}
		tried++
		want := ""
		if int(info.Sys().(*syscall.Stat_t).Uid) == uid {
			want = entry[homeField]
		}
		if got := OfAccount(uid); got != want {
			t.Errorf("%s: got %q, want %q", entry[0], got, want)
		}
	}
	if tried == 0 {
		t.Skip("no account here has a home that exists")
	}
}
