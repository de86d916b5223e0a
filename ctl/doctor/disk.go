package doctor

import (
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// disk says whether the database has room.
func disk(f *Facts) []Finding {
	const (
		subject = "disk"
		little  = 16 << 20 // less than a database of 10,000 events and its copy
		low     = 200 << 20
		nodes   = 100
	)
	d := f.Disk
	where := d.Folder
	typed := provider.ShellWord(where)
	switch {
	case where == "", !f.owner():
		return nil
	case d.Hangs:
		return one(subject, Fail, "the disk of "+where+" does not answer", "findmnt -T "+typed, "sudo dmesg | tail")
	case d.Refused != nil:
		return one(subject, Fail, "the daemon will not keep its database in "+where+": "+d.Refused.Message, d.Refused.Hint)
	case !d.Known:
		return one(subject, Skip, where+" cannot be looked at")
	case d.ReadOnly:
		return one(subject, Fail, "the file system of "+where+" is mounted read-only", "see why: findmnt -T "+typed, "sudo dmesg | tail")
	case d.Free < little:
		return one(subject, Fail, size(d.Free)+" free for "+where, "free some: df -h "+typed)
	case d.AllNodes > 0 && d.Inodes < nodes:
		return one(subject, Fail, counted(int(d.Inodes), "inode")+" free for "+where+": too many files", "remove some: df -i "+typed)
	case d.Free < low && d.Free < d.Total/20:
		return one(subject, Warn, size(d.Free)+" free for "+where, "df -h "+typed)
	}
	return one(subject, OK, fmt.Sprintf("%s free for %s", size(d.Free), where))
}
