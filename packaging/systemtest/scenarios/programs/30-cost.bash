# What the service costs: its peak of memory, and its share of a processor in its first
# minute, with the ten providers of the scenario before, all of them healthy.
. /systemtest/assert.bash

systemctl restart providerd
started=$(date +%s.%N) process=$(pid)
minute_over() { [ "$(awk -v s="$(seconds_since "$started")" 'BEGIN { print (s >= 60) }')" = 1 ]; }
ok "it runs for a minute" until_true 180 minute_over
is "as the same process" "$process" "$(pid)"

kib() { sed -n "s/^$1:\s*\([0-9]*\) kB/\1/p" "/proc/$process/status"; }
ticks=$(sed 's/.*) //' "/proc/$process/stat" | awk '{ print $12 + $13 }')
say "memory, peak of the process:    $(awk -v k="$(kib VmHWM)" 'BEGIN { printf "%.1f MiB", k / 1024 }') (VmHWM), of which its own $(awk -v k="$(kib RssAnon)" 'BEGIN { printf "%.1f MiB", k / 1024 }') now (RssAnon)"
peak=$(cat /sys/fs/cgroup/system.slice/providerd.service/memory.peak 2>/dev/null) &&
	say "memory, peak of the unit:       $(awk -v b="$peak" 'BEGIN { printf "%.1f MiB", b / 1048576 }') (memory.peak)" ||
	say "memory, peak of the unit:       not known here: the kernel counts memory by cgroup v1"
say "processor, of the process:      $(awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f s in 60 s", t / hz }') (/proc/PID/stat)"
say "processor, of the unit:         $(awk -v n="$(property CPUUsageNSec)" 'BEGIN { printf "%.2f s", n / 1e9 }') with its plug-ins (CPUUsageNSec)"
is "it was never restarted" 0 "$(property NRestarts)"
at_most "MiB at its peak" 64 "$(awk -v k="$(kib VmHWM)" 'BEGIN { printf "%.1f", k / 1024 }')"
