# What scenarios say: one line for each thing that was tried, ok or FAIL, with what was
# seen below a FAIL. A scenario that stops early has failed too.
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# say prints what was measured or is done, and counts as nothing.
say() { printf '     %s\n' "$*"; }

# verdict SUCCEEDED WHAT [SEEN...]
verdict() {
	if [ "$1" = 0 ]; then
		printf 'ok   %s\n' "$2"
		return
	fi
	printf 'FAIL %s\n' "$2"
	printf '%s\n' "${@:3}" | head -40 | sed 's/^/     /'
}

# ok WHAT COMMAND...: the command succeeds.
ok() {
	local what=$1 seen status=0
	shift
	seen=$("$@" 2>&1) || status=$?
	verdict "$status" "$what" "$* ended with $status" "$seen"
}

# fails WHAT STATUS COMMAND...: it ends with that exit status.
fails() {
	local what=$1 want=$2 seen status=0
	shift 2
	seen=$("$@" 2>&1) || status=$?
	verdict "$([ "$status" = "$want" ] && echo 0 || echo 1)" "$what" "$* ended with $status, not $want" "$seen"
}

# is WHAT WANT GOT
is() { verdict "$([ "$2" = "$3" ] && echo 0 || echo 1)" "$1" "want $2" "have $3"; }

# has WHAT PART TEXT: the text has the part.
has() { verdict "$([[ $3 == *"$2"* ]] && echo 0 || echo 1)" "$1" "no \"$2\" in:" "$3"; }

# hasnt WHAT PART TEXT
hasnt() { verdict "$([[ $3 != *"$2"* ]] && echo 0 || echo 1)" "$1" "\"$2\" is in:" "$3"; }

# until_true SECONDS COMMAND...: asks again until it succeeds, or the time is over.
until_true() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# as USER COMMAND...: as that user, with the groups the user has now.
as() { runuser -u "$1" -- "${@:2}"; }

# seconds_since START prints the seconds from a time of date +%s.%N until now.
seconds_since() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.2f", to - from }'; }

# at_most WHAT LIMIT NUMBER
at_most() { verdict "$(awk -v a="$3" -v b="$2" 'BEGIN { print a <= b ? 0 : 1 }')" "$1: $3, at most $2"; }

# property NAME: of the unit.
property() { systemctl show --property="$1" --value "${2:-providerd.service}"; }

pid() { property MainPID; }

# mark is where the journal ends now; journal [MARK] is what the service wrote since
# then, and systemd about it.
mark() { journalctl --sync && journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'; }
journal() { journalctl --sync && journalctl --no-pager --unit=providerd.service --output=cat ${1:+--after-cursor="$1"}; }

# field FILTER: a field of a JSON object on one line, without a tool for JSON.
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -1; }
