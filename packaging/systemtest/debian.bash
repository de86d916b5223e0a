# The small Debian that the machines share. It is made once, and none of them changes it.

# need_debootstrap installs debootstrap if possible.
need_debootstrap() {
	command -v debootstrap >/dev/null && return
	command -v apt-get >/dev/null || fail "debootstrap is missing" "install debootstrap"
	apt-get install -qy debootstrap >/dev/null || { apt-get update -qq && apt-get install -qy debootstrap >/dev/null; }
}

# make_debian creates it in $debian, unless the folder of --root already has it.
make_debian() {
	debian=${root:-$work/debian}
	if [ -e "$debian/systemtest" ]; then
		printf 'using the Debian in %s\n' "$debian"
		return
	fi
	[ ! -e "$debian" ] || [ -z "$(ls -A "$debian")" ] || fail "$debian contains something else" "packaging/systemtest/run --root DIR, with a new DIR"
	find_mirror
	mkdir -p "$debian"
	in_background debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,libpam-systemd,polkitd "$suite" "$debian" $mirror >"$work/debian.log" 2>&1
	wait_for debian $!
	# Nothing in it may touch the shared kernel, or wait for a network.
	local unit
	for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-udevd.service \
		systemd-udev-trigger.service systemd-binfmt.service console-getty.service getty@.service getty-static.service \
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
		ln -sf /dev/null "$debian/etc/systemd/system/$unit"
	done
	mkdir -p "$debian/etc/ssl/certs" # for the authority of the stand-ins
	: >"$debian/etc/resolv.conf"
	: >"$debian/etc/machine-id"
	useradd --root "$debian" --create-home --shell /bin/bash alice
	useradd --root "$debian" --create-home --shell /bin/bash bob
	mkdir "$debian/systemtest"
}

# find_mirror gets the mirror and the proxy from this machine's apt.
find_mirror() {
	local from
	if [ -z "$suite$mirror" ] && command -v apt-get >/dev/null; then
		from=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' | head -1)
		suite=${from% *} mirror=${from#* }
		eval "$(apt-config shell proxy Acquire::http::Proxy)"
		if [ -n "${proxy:-}" ] && [ "$proxy" != DIRECT ]; then export http_proxy=${http_proxy:-$proxy}; fi
	fi
	[ -n "$suite" ] || fail "which Debian?" "packaging/systemtest/run --suite stable"
}
