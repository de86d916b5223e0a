# Completion of programname's command lines in bash, 3.2 or later.
#
# The program prints one choice per line, with its description after a tab, and last a
# colon and a sum of: 1, it failed; 2, no space after a choice; 4, no files; 8, the
# choices are extensions of files; 16, folders only.

_programname() {
	local words=() line=${COMP_LINE:0:COMP_POINT} gap piece i
	# bash cuts the line at each = and : as well. These are the words that the program
	# would get, the last of them up to the cursor.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		gap=${line%%[![:space:]]*} piece=${COMP_WORDS[i]}
		line=${line#"$gap"}
		((i < COMP_CWORD)) || piece=$line
		line=${line#"$piece"}
		if [[ -n $gap || $i == 0 ]]; then words+=("$piece"); else words[${#words[@]} - 1]+=$piece; fi
	done
	COMPREPLY=()
	if [[ $piece == *[\<\>] || ${COMP_WORDS[COMP_CWORD - 1]} == *[\<\>] ]]; then
		compopt -o default 2>/dev/null # a redirection is followed by a file
		return
	fi
	# Expand ~ and variables, and take quotes away, but run nothing.
	for ((i = 0; i < ${#words[@]} - 1; i++)); do
		[[ ${words[i]} == *[\`\(\;\&\|\<\>]* ]] || eval "words[i]=${words[i]}" 2>/dev/null
	done
	# bash replaces what was typed after the last = or :, and keeps the head of the word.
	local raw=${words[i]} typed=${2-$piece} flag= out directive
	[[ $typed != [=:]* ]] || typed=
	local word=${raw//[\\\"\']/}
	local head=${word%"${typed//[\\\"\']/}"}
	[[ $word != -*=* ]] || flag=${word%%=*}= # of --flag=value the choices are values
	words[i]=$word
	type -P "${words[0]}" >/dev/null || words[0]=programname # it is an alias
	out=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
	directive=${out##*:} out=${out%:*}
	[[ $directive == [0-9]* ]] && ((!(directive & 1))) || return 0
	if ((directive & 16)); then
		compopt -o dirnames
	elif ((directive & 8)); then
		compopt -o filenames -o plusdirs
		for i in $out; do
			while read -r piece; do COMPREPLY+=("$piece"); done < <(compgen -f -X "!*.$i" -- "$typed")
		done
	elif [[ -z $out ]]; then
		((directive & 4)) || compopt -o default
	else
		_programname_choices
	fi 2>/dev/null
}

# Offers the choices in $out that continue $word.
_programname_choices() {
	local value about abouts=() width=0 room
	while IFS=$'\t' read -r value about; do
		[[ -n $value && $flag$value == "$word"* ]] || continue
		value=$flag$value value=${value#"$head"}
		[[ $raw == *[\"\']* || $value != *[!a-zA-Z0-9_.,:/=@%+-]* ]] || printf -v value %q "$value"
		COMPREPLY+=("$value") abouts+=("$about")
		((width >= ${#value})) || width=${#value}
	done <<<"$out"
	room=$((${COLUMNS:-80} - width - 4))
	if [[ ${#COMPREPLY[@]} == 1 ]]; then
		[[ $((directive & 2)) == 0 && $COMPREPLY != *= ]] || compopt -o nospace
	elif [[ $COMP_TYPE != 37 && $COMP_TYPE != 42 ]]; then # 37 and 42 would insert them
		for i in "${!COMPREPLY[@]}"; do
			[[ -n ${abouts[i]} && $room -gt 9 ]] || continue
			printf -v value '%-*s  (%s)' $width "${COMPREPLY[i]}" "${abouts[i]:0:room}"
			COMPREPLY[i]=$value
		done
	fi
}

# bash 3.2 has no compopt. It offers files wherever there are no choices.
complete $(type compopt >/dev/null 2>&1 || echo -o default) -F _programname programname
