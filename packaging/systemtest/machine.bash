# A machine: a Debian in its own namespaces, with systemd as its first process.

# boot starts a machine and waits until its systemd is running.
boot() {
	local machine=$1 began place=$work/$1 group=$cgroups/providerd-systemtest.$$/$1 job init state=
	began=$(now)
	mkdir -p "$place"/{upper,work,root} "$group"
	mount -t overlay -o "lowerdir=$debian,upperdir=$place/upper,workdir=$place/work" overlay "$place/root"
	cp -r "$here/assert.bash" "$here/scenarios/$machine" "$work/made/." "$place/root/systemtest/"
	# It dies with this script, however that ends.
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child \
			--ipc --uts --net --cgroup bash "$here/boot.bash" "$place/root" "$machine"
	) </dev/null >"$place/console" 2>&1 &
	job=$!
	for _ in $(seq 1200); do
		init=$(cat "/proc/$job/task/$job/children" 2>/dev/null) || break
		init=${init% }
		[ -z "$init" ] || state=$(nsenter --target "$init" --all systemctl is-system-running 2>/dev/null) || true
		case $state in running | degraded) break ;; esac
		sleep 0.1
	done
	[ -z "$init" ] || inits+=("$init")
	printf '== %s: systemd is %s after %s\n' "$machine" "${state:-not there}" "$(took "$began")"
	if [ "$state" != running ]; then
		cat "$place/console"
		nsenter --target "$init" --all sh -c 'systemctl --failed; journalctl --no-pager -n 60' || true
		exit 1
	fi
	eval "${machine}_init=$init"
}

# inside runs a command in a machine, as root, without our environment.
inside() {
	local init=${1}_init
	shift
	nsenter --target "${!init}" --all env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 "$@"
}

# try runs the scenarios of a machine in order; each starts where the last one ended. Its
# output goes to $work/MACHINE.out.
try() {
	local machine=$1 scenario name began status said
	printf '\n=== %s\n' "$machine"
	for scenario in "$here/scenarios/$machine"/*.bash; do
		name=$(basename "$scenario" .bash) began=$(now) status=0
		printf '\n-- %s\n' "$name"
		said=$(wc -l <"$work/$machine.out")
		inside "$machine" old_version="$old_version" new_version="$new_version" \
			timeout --kill-after=5 600 bash "/systemtest/$machine/$name.bash" </dev/null || status=$?
		[ "$status" = 0 ] || printf 'FAIL %s ended with %d before its end\n' "$name" "$status"
		if [ "$status" != 0 ] || tail -n "+$said" "$work/$machine.out" | grep -q '^FAIL '; then
			printf '   | the last lines of the journal:\n'
			inside "$machine" journalctl --no-pager -u providerd.service -n 40 -o short-precise | sed 's/^/   | /' || true
		fi
		printf '   (%s)\n' "$(took "$began")"
	done
}
