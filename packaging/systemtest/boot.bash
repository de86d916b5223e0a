# The first process of a machine, until it becomes systemd: boot.bash ROOT NAME. It has
# its own mounts, processes, network and cgroups already, and gives them what a kernel
# would; /proc/sys, /sys and all devices but the harmless ones stay out of reach.
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
umount -l . # what was /, below the new one
cd /
mount --make-rshared / # as systemd finds it in containers; credentials are handed over by it
# It is told that it is in a container: then it leaves clock, modules and sysctls alone.
# Without these capabilities nothing in it could do otherwise.
exec env -i container=providerd-systemtest PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	setpriv --bounding-set -sys_module,-sys_time,-sys_rawio,-syslog,-sys_boot /lib/systemd/systemd
