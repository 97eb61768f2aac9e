# SPDX-License-Identifier: MPL-2.0
# Completion of strelaysrv's and strelaysrv-testutil's flags in bash.  The flags are
# those that the program itself lists, so modules of your own count.

_strelaysrv() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} dashes flags

	COMPREPLY=()
	case $before in
	-keys | --keys | -module-dir | --module-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	-log.level | --log.level)
		mapfile -t COMPREPLY < <(compgen -W "debug info notice warning error" -- "$word")
		return
		;;
	-protocol | --protocol)
		mapfile -t COMPREPLY < <(compgen -W "tcp tcp4 tcp6" -- "$word")
		return
		;;
	esac
	# Bash takes -help=MODULE as three words.  The headings of the help name the modules.
	[[ $word == = ]] && word= && before="= ${COMP_WORDS[COMP_CWORD - 1]}"
	[[ $before == = ]] && before="= ${COMP_WORDS[COMP_CWORD - 2]}"
	case $before in
	"= -help" | "= --help" | "= -h" | "= --h")
		flags=$("$program" -help 2>&1 | sed -n 's/^Module \(.*\):$/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "basics server $flags" -- "$word")
		return
		;;
	esac
	if [[ $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	dashes=-
	[[ $word == --* ]] && dashes=--
	flags=$("$program" -help 2>&1 | sed -n "s/^  -\([^ ]*\).*/$dashes\1/p")
	mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
}

complete -F _strelaysrv strelaysrv strelaysrv-testutil
