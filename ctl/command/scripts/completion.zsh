#compdef programname
#
# Completion of programname's command lines in zsh: as a file _programname in a folder of
# $fpath, or sourced after compinit.
#
# The program prints one choice per line, with its description after a tab, and last a
# colon and a sum of: 1, it failed; 2, no space after a choice; 4, no files; 8, the
# choices are extensions of files; 16, folders only.

_programname() {
	local word out directive value
	local -a line answer choices open
	# Expand ~ and variables, and take quotes away, but run nothing.
	for word in "${(@)words[1,CURRENT-1]}"; do
		[[ $word == *[\`\(\;\&\|\<\>]* ]] || eval "word=$word" 2>/dev/null
		line+=("$word")
	done
	whence -p -- "$line[1]" >/dev/null || line[1]=programname # it is an alias
	out=$("${(@)line[1]}" __complete "${(@)line[2,-1]}" "${(Q)PREFIX}" 2>/dev/null)
	answer=("${(@f)out}")
	directive=${answer[-1]#:}
	[[ $answer[-1] == :<-> ]] && (( ! (directive & 1) )) || return 1
	answer[-1]=()

	# Of --flag=value the choices are values.
	[[ $PREFIX != -*=* ]] || compset -P 1 '*='
	if (( directive & 16 )); then
		_files -/
	elif (( directive & 8 )); then
		_files -g "*.(${(j:|:)answer})(-.)"
	elif (( $#answer == 0 )); then
		(( directive & 4 )) || _files
	else
		for word in "${(@)answer}"; do
			value=${word%%$'\t'*}
			word=${word#"$value"}
			# _describe wants value:description.
			word=${${value//\\/\\\\}//:/\\:}${word/$'\t'/:}
			if [[ $value == *= ]] || (( directive & 2 )); then open+=("$word"); else choices+=("$word"); fi
		done
		_describe -t choices programname choices -- open -S ''
	fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_programname "$@"
else
	compdef _programname programname
fi
