#!/usr/bin/env bash
# Builds the packages of providerd, all or the named ones, in dist/:
#
#     packaging/build.sh                       # deb, rpm, apk, tar.gz and zip
#     packaging/build.sh 1.2.3                 # … with this version, not the one from git
#     packaging/build.sh --only deb/amd64      # one; patterns such as 'deb/*' work, and --only can be repeated
#     packaging/build.sh --list                # list the names
#     packaging/build.sh --list-documents      # list the documents that all of them contain
#     packaging/build.sh --print-version       # print the version in the style of each format
#
# It also writes a bill of materials (.cdx.json) and SHA256SUMS. It needs Go, bash and
# gzip, but not root. The same commit and the same Go give the same bytes, on any machine
# at any time. See docs/packaging.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C TZ=UTC
umask 022

targets=(
	deb/amd64 deb/arm64 rpm/amd64 rpm/arm64 apk/amd64 apk/arm64
	tar.gz/linux/amd64 tar.gz/linux/arm64 tar.gz/darwin/amd64 tar.gz/darwin/arm64
	zip/windows/amd64 zip/windows/arm64
)

documents=(
	README.md CHANGELOG.md docs/*.md docs/*.png docs/providerd.example.toml docs/decisions/*.md
	packaging/prometheus/providerd.rules.yml packaging/grafana/providerd.json
	contrib/*
)

fail() {
	printf 'build.sh: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf 'build.sh: try: %s\n' "$2" >&2
	exit 2
}

say() { printf '%s\n' "$*" >&2; }

version=${VERSION:-} only=() print=
while [ $# -gt 0 ]; do
	case $1 in
	--only) only+=("${2:?--only needs a target}") && shift ;;
	--only=*) only+=("${1#--only=}") ;;
	--list-documents) printf '%s\n' "${documents[@]}" && exit ;;
	--list) printf '%s\n' "${targets[@]}" && exit ;;
	--print-version) print=yes ;;
	-h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
	-*) fail "no such option: $1" "packaging/build.sh --help" ;;
	*) version=$1 ;;
	esac
	shift
done

# The version is the given one, or else the last tag and the distance from it, or else the
# time of the commit. It sorts the same way in every format.
if [ -z "$version" ]; then
	git rev-parse HEAD >/dev/null 2>&1 || fail "no version, and this is no git repository" "packaging/build.sh 1.2.3"
	if described=$(git describe --tags --long --abbrev=12 --match 'v[0-9]*' 2>/dev/null); then
		version=${described%-*-g*} far=${described#"$version"-}
		[ "${far%-g*}" = 0 ] || version+=+${far%-g*}.${far#*-}
	else
		version=0.0.0-pre$(git log -1 --format=%cd --date=format-local:%Y%m%d%H%M%S)+$(git rev-parse --short=12 HEAD | sed s/^/g/)
	fi
	if [ -n "$(git status --porcelain)" ]; then
		say "the working tree has changes that are not committed: the version says dirty"
		case $version in *+*) version+=.dirty ;; *) version+=+0.dirty ;; esac
	fi
fi
version=${version#v}
[[ $version =~ ^([0-9]+\.[0-9]+\.[0-9]+)(-(alpha|beta|pre|rc)\.?([0-9]*))?(\+([0-9A-Za-z.]+))?$ ]] ||
	fail "not a version that deb, rpm and apk can all sort: $version" "packaging/build.sh 1.2.3, or 1.2.3-rc1; alpha, beta and pre do too"
base=${BASH_REMATCH[1]} pre=${BASH_REMATCH[3]}${BASH_REMATCH[4]} meta=${BASH_REMATCH[6]}
linux_version=$base${pre:+~$pre}${meta:++$meta}
apk_version=$base${pre:+_$pre}
[[ ! $meta =~ ^([0-9]+)(\.|$) ]] || apk_version+=_p${BASH_REMATCH[1]}
if [ -n "$print" ]; then
	printf 'providerd v%s\ndeb %s-1\nrpm %s-1\napk %s-r1\n' "$version" "$linux_version" "$linux_version" "$apk_version"
	exit
fi

chosen=()
for target in "${targets[@]}"; do
	[ ${#only[@]} -gt 0 ] || chosen+=("$target")
	for pattern in ${only[@]+"${only[@]}"}; do
		# shellcheck disable=SC2053 # it is a pattern
		if [[ $target == $pattern ]]; then chosen+=("$target") && break; fi
	done
done
[ ${#chosen[@]} -gt 0 ] || fail "no target is called ${only[*]}" "packaging/build.sh --list"

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || fail "SOURCE_DATE_EPOCH is not set, and this is no git repository" "SOURCE_DATE_EPOCH=\$(date +%s) packaging/build.sh $version"
fi
export SOURCE_DATE_EPOCH

# at prints the time of the source in a format of date(1); that of BSD has other options.
at() { date -d "@$SOURCE_DATE_EPOCH" "+$1" 2>/dev/null || date -r "$SOURCE_DATE_EPOCH" "+$1"; }

# Nothing from the caller's environment may change the bytes.
unset GOOS GOARCH GOEXPERIMENT GODEBUG
export CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 GOFLAGS=-trimpath GOWORK=off
root=$PWD dist=$PWD/dist
rm -rf dist
mkdir dist
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
say "providerd v$version, of $(at '%Y-%m-%d %H:%M:%S UTC'), with $(go env GOVERSION)"

# put copies a file to a path in the stage, with a mode.
put() {
	mkdir -p "$(dirname "$stage/$3")"
	install -m "$1" "$2" "$stage/$3"
}

programs=() # each folder in cmd is one
for main in cmd/*/main.go; do programs+=("$(basename "$(dirname "$main")")"); done

# build makes the programs for one system, once: build linux amd64.
build() {
	local to=$stage/bin/$1-$2
	[ ! -d "$to" ] || return 0
	say "  building for $1/$2"
	mkdir -p "$to"
	GOOS=$1 GOARCH=$2 go build -buildvcs=false -ldflags "-s -w -buildid= -X main.version=v$version" \
		-o "$to/" "${programs[@]/#/./cmd/}"
}

# The programs contain modules whose licences must be distributed with them.
licenses() {
	local system name folder file
	printf 'The programs are built from Go and from these modules.\n'
	printf '\n\n==== Go %s\n\n' "$(go env GOVERSION)" && cat "$(go env GOROOT)/LICENSE"
	for system in linux darwin windows; do
		GOOS=$system go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}|{{.Dir}}{{end}}{{end}}' "${programs[@]/#/./cmd/}"
	done | sort -u | while IFS='|' read -r name folder; do
		[ -n "$name" ] || continue
		for file in "$folder"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]* "$folder"/COPYING* "$folder"/NOTICE*; do
			[ ! -f "$file" ] || { printf '\n\n==== %s: %s\n\n' "$name" "${file##*/}" && cat "$file"; }
		done
	done
}
licenses >"$stage/third-party-licenses"
gzip -9n <"$stage/third-party-licenses" >"$stage/third-party-licenses.gz"

host_os=$(go env GOHOSTOS) host_arch=$(go env GOHOSTARCH)
build "$host_os" "$host_arch"
for program in providerd providerctl; do
	for shell in bash zsh fish powershell; do
		mkdir -p "$stage/completions/$shell"
		"$stage/bin/$host_os-$host_arch/$program" completion "$shell" >"$stage/completions/$shell/$program"
	done
done
for page in packaging/man/*.[158]; do
	put 644 "$page" "man/${page##*/}"
	gzip -9n <"$page" >"$stage/man/${page##*/}.gz"
done
for page in "${documents[@]}"; do
	mode=644
	[ ! -x "$page" ] || mode=755
	put "$mode" "$page" "doc/$page" # the documents link to it
done
put 644 LICENSE LICENSE
put 644 packaging/providerd.toml providerd.toml
# The manual pages of the programs beside providerctl are packaged like its own.
page='  - {src: man/providerctl.1.gz, dst: /usr/share/man/man1/providerctl.1.gz, file_info: {mode: 0o644}}'
while IFS= read -r line; do
	printf '%s\n' "$line"
	[ "$line" = "$page" ] || continue
	for file in packaging/man/providerctl-*.1; do
		[ ! -f "$file" ] || printf '%s\n' "${page//providerctl.1/$(basename "$file")}"
	done
done <packaging/nfpm.yaml >"$stage/nfpm.yaml"
put 644 packaging/providerd.desktop desktop/providerd.desktop
put 644 packaging/providerd.svg desktop/providerd.svg
put 644 packaging/copyright deb/copyright
put 644 packaging/lintian-overrides deb/lintian-overrides
for program in "${programs[@]}"; do
	case $program in providerctl-*) # is linked statically, as providerctl is
		printf 'providerd: statically-linked-binary [usr/libexec/providerd/%s]\n' "$program" >>"$stage/deb/lintian-overrides" ;;
	esac
done
gzip -9n <CHANGELOG.md >"$stage/deb/changelog.gz"
maintainer=${MAINTAINER:-providerd maintainers <providerd@users.noreply.github.com>}
gzip -9n >"$stage/deb/changelog.Debian.gz" <<-EOF
	providerd ($linux_version-1) unstable; urgency=medium

	  * What changed for users is in changelog.gz.

	 -- $maintainer  $(at '%a, %d %b %Y %H:%M:%S +0000')
EOF
for unit in systemd/providerd.service systemd/providerd.socket systemd/user/providerd.service systemd/sysusers.conf; do
	put 644 "packaging/$unit" "$unit"
done
put 755 packaging/openrc/providerd openrc/providerd
for script in packaging/scripts/*/*; do put 755 "$script" "${script#packaging/}"; done

# package makes a Linux package with nfpm: package deb amd64.
nfpm=${NFPM:-} # one that is already built
package() {
	build linux "$2"
	if [ -z "$nfpm" ]; then
		nfpm=$stage/nfpm
		say "  building nfpm"
		go build -modfile=packaging/tools.mod -o "$nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm
	fi
	local written=$linux_version release=1 description
	case $1 in # how much of it fits beside the name
	deb) description=$(sed 2d packaging/description) ;;
	rpm) description=$(tail -n +3 packaging/description) ;;
	apk) description=$(head -n 1 packaging/description) written=$apk_version release=r1 ;;
	esac
	rm -rf "$stage/libexec" # the programs beside providerctl
	mkdir "$stage/libexec"
	for program in "$stage/bin/linux-$2/providerctl-"*; do
		[ ! -f "$program" ] || put 755 "$program" "libexec/${program##*/}"
	done
	find "$stage" -exec touch -t "$(at %Y%m%d%H%M.%S)" {} + # nfpm keeps the times of some
	(cd "$stage" && PKG_ARCH=$2 PKG_VERSION=$written PKG_RELEASE=$release PKG_MAINTAINER=$maintainer \
		PKG_DESCRIPTION=$description "$nfpm" package --config nfpm.yaml --packager "$1" --target "$dist/" >/dev/null)
}

# archive packs a folder with everything: archive tar.gz darwin arm64.
archive() {
	build "$2" "$3"
	local name=providerd_${linux_version/\~/-}_$2_$3
	local to=archive/$name
	for program in "$stage/bin/$2-$3/"*; do put 755 "$program" "$to/${program##*/}"; done
	for file in LICENSE third-party-licenses providerd.toml; do put 644 "$stage/$file" "$to/$file"; done
	cp -R "$stage/doc/." "$stage/$to/"
	mkdir "$stage/$to/completions"
	if [ "$2" = windows ]; then
		cp -R "$stage/completions/powershell" "$stage/$to/completions/"
	else
		cp -R "$stage/completions/"{bash,fish,zsh} "$stage/$to/completions/"
		for page in "$stage/man/"*.[158]; do put 644 "$page" "$to/man/${page##*/}"; done
	fi
	case $2 in
	linux) cp -R "$stage/systemd" "$stage/openrc" "$stage/desktop" "$stage/$to/" ;;
	darwin) cp -R packaging/launchd "$stage/$to/" ;;
	esac
	go run ./packaging/archive -time "$SOURCE_DATE_EPOCH" -o "$dist/$name.$1" "$stage/$to"
}

packed=() # the programs that are in a package
for target in "${chosen[@]}"; do
	IFS=/ read -r format system arch <<<"$target"
	say "$target"
	case $format in
	tar.gz | zip) archive "$format" "$system" "$arch" ;;
	*)
		arch=$system system=linux
		package "$format" "$arch"
		;;
	esac
	packed+=("$stage/bin/$system-$arch/"*)
done
go run ./packaging/sbom -version "v$version" -time "$SOURCE_DATE_EPOCH" "${packed[@]}" \
	>"$dist/providerd_${linux_version/\~/-}.cdx.json"

cd dist
if command -v sha256sum >/dev/null; then sha256sum -- * >"$stage/sums"; else shasum -a 256 -- * >"$stage/sums"; fi
mv "$stage/sums" SHA256SUMS
cd "$root"
say "made, in dist/:"
(cd dist && wc -c -- *)
