# SPDX-License-Identifier: MPL-2.0
# Completion of strelaysrv's and strelaysrv-testutil's flags in bash.  The flags are
# those that the program itself lists, so modules of your own count.

# The words of -ctl: the commands that the running server knows, and their words.
_strelaysrv_ctl() {
	local words
	local -a ctl=("${COMP_WORDS[@]:0:$1}")

	# $1 is the place of -ctl, $2 how many of its words are there already.
	case $2:${COMP_WORDS[$1 + 1]} in
	0:* | 1:help) words=$("${ctl[@]}" -ctl help 2>/dev/null | awk 'NR > 1 { print $1 }') ;;
	1:show | 1:kick | 1:ban | 2:follow)
		words=$("${ctl[@]}" -ctl devices 2>/dev/null | awk 'length($1) == 63 { print $1 }')
		;;
	1:unban) words=$("${ctl[@]}" -ctl bans 2>/dev/null | awk 'length($1) == 63 { print $1 }') ;;
	1:devices | 1:sessions) words=by ;;
	2:devices) words="bytes rate age idle" ;;
	2:sessions) words="bytes rate age idle" ;;
	1:limit) words="session device global" ;;
	2:ban) words=for ;;
	1:drain) words=cancel ;;
	1:follow) words="device address" ;;
	1:log-level) words="error warning notice info debug" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words -json" -- "${COMP_WORDS[COMP_CWORD]}")
}

_strelaysrv() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} dashes flags i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == @(-ctl|--ctl) ]]; then
			_strelaysrv_ctl "$i" $((COMP_CWORD - i - 1))
			return
		fi
	done
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

complete -F _strelaysrv strelaysrv syncthing-relaysrv strelaysrv-testutil
