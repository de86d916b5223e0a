# The output of scenarios: one line for each check, ok or FAIL, with what was seen below a
# FAIL. A scenario that stops early has failed too.
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# say prints a remark or a measurement, which does not count as a check.
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

# fails WHAT STATUS COMMAND...: the command ends with that exit status.
fails() {
	local what=$1 want=$2 seen status=0
	shift 2
	seen=$("$@" 2>&1) || status=$?
	verdict "$([ "$status" = "$want" ] && echo 0 || echo 1)" "$what" "$* ended with $status, not $want" "$seen"
}

# is WHAT WANT GOT
is() { verdict "$([ "$2" = "$3" ] && echo 0 || echo 1)" "$1" "want $2" "have $3"; }

# has WHAT PART TEXT: the text contains the part.
has() { verdict "$([[ $3 == *"$2"* ]] && echo 0 || echo 1)" "$1" "no \"$2\" in:" "$3"; }

# hasnt WHAT PART TEXT
hasnt() { verdict "$([[ $3 != *"$2"* ]] && echo 0 || echo 1)" "$1" "\"$2\" is in:" "$3"; }

# until_true SECONDS COMMAND...: repeats the command until it succeeds, or the time is up.
until_true() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# as USER COMMAND...: runs it as that user, with the user's current groups.
as() { runuser -u "$1" -- "${@:2}"; }

# seconds_since START prints the seconds since a time from date +%s.%N.
seconds_since() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.2f", to - from }'; }

# at_most WHAT LIMIT NUMBER
at_most() { verdict "$(awk -v a="$3" -v b="$2" 'BEGIN { print a <= b ? 0 : 1 }')" "$1: $3, at most $2"; }

# property NAME: of the unit.
property() { systemctl show --property="$1" --value "${2:-providerd.service}"; }

pid() { property MainPID; }

# mark is the current end of the journal; journal [MARK] is what the service, and systemd
# about it, wrote since then.
mark() { journalctl --sync && journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'; }
journal() { journalctl --sync && journalctl --no-pager --unit=providerd.service --output=cat ${1:+--after-cursor="$1"}; }

# field FILTER: a field of a JSON object on one line, without a tool for JSON.
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -1; }
