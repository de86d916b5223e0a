# The first process of a machine, until it becomes systemd: boot.bash ROOT NAME. It
# already has its own mounts, processes, network and cgroups, and sets them up as a kernel
# would. /proc/sys, /sys and all devices except harmless ones stay out of reach.
set -euo pipefail
cd "$1"
mount -t proc -o nosuid,nodev,noexec proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs tmp
mount -t tmpfs -o nosuid,mode=755 tmpfs dev
mkdir dev/pts dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs dev/shm
echo "$2" >etc/hostname

pivot_root . .
umount -l . # the old /, below the new one
cd /
mount --make-rshared / # as in containers; systemd passes credentials on this way
# systemd is told that it is in a container, so that it does not touch clock, modules and
# sysctls. Without these capabilities nothing inside could touch them anyway.
exec env -i container=providerd-systemtest PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	setpriv --bounding-set -sys_module,-sys_time,-sys_rawio,-syslog,-sys_boot /lib/systemd/systemd
