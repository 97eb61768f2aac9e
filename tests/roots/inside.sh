# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# What the scripts share that root.sh runs in a clean Debian; they read this file first.
# `place` says where they run, if that is not all there is to say.
[ -e /etc/strelaysrv-test-root ] || {
	echo "$0: root.sh runs this in a root of its own" >&2
	exit 2
}
place=${place:-in a clean Debian}
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive

fail() {
	cat "$log"
	echo "FAILED: $* ($place)"
	exit 1
}

quietly() {
	"$@" >"$log" 2>&1 </dev/null || fail "$*"
}

# A mirror that fails, or is too slow, says nothing about this tree.
get_packages() {
	code=0
	timeout 900 "$@" >"$log" 2>&1 </dev/null || code=$?
	[ $code -ne 0 ] || return 0
	if [ $code -eq 124 ] || grep -q 'Failed to fetch' "$log"; then
		cat "$log"
		echo "== NOT RUN $place: the mirror does not deliver: $*" >&2
		exit 77
	fi
	fail "$*"
}

# await SECONDS WHAT COMMAND...
await() {
	tries=$(($1 * 10)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "$what"
		sleep 0.1
	done
}
