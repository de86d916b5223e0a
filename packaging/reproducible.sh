#!/usr/bin/env bash
# Proves that the packages are reproducible: it builds the commit twice, in different
# folders, with different umasks, time zones, languages, homes and variables, the second
# time without Go's cache, and compares every byte. It takes the arguments of build.sh:
#
#     packaging/reproducible.sh                      # everything, some minutes
#     packaging/reproducible.sh --only deb/amd64     # one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain)" ] || printf 'what is not committed is not built\n' >&2

(umask 022 && git clone --quiet --no-hardlinks . "$work/one")
(umask 077 && git clone --quiet --no-hardlinks . "$work/another/place")

# Both builds use the same nfpm: building it again would be half of the work.
go build -modfile=packaging/tools.mod -o "$work/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm
export NFPM=$work/nfpm

modules=$(go env GOMODCACHE)
(umask 022 && "$work/one/packaging/build.sh" "$@" >/dev/null)
(umask 077 && env GOCACHE="$work/cache" GOMODCACHE="$modules" HOME="$work" TZ=Asia/Tokyo LC_ALL=C.UTF-8 \
	GOAMD64=v3 GOFLAGS=-v GOMAXPROCS=1 USER=nobody HOSTNAME=elsewhere \
	"$work/another/place/packaging/build.sh" "$@" >/dev/null)

if ! diff "$work/one/dist/SHA256SUMS" "$work/another/place/dist/SHA256SUMS"; then
	printf 'reproducible.sh: these differ\n' >&2
	exit 1
fi
cat "$work/one/dist/SHA256SUMS"
printf 'the same bytes, twice\n'
