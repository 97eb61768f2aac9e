# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# A session through an installed relay, which must outlive its upgrade. The scripts that use
# it read inside.sh first.

make_devices() {
	mkdir -p /tmp/a /tmp/b
	[ ! -e /tmp/a/id ] || return 0
	quietly strelaysrv-testutil -gen-keys -keys /tmp/b
	strelaysrv-testutil -gen-keys -keys /tmp/a 2>/dev/null >/tmp/a/id || fail "a device's keys"
}

# A stream of numbered lines through the relay, a thousand in a second.
begin_session() {
	make_devices
	: >/tmp/b/log
	rm -f /tmp/stop
	seconds=0
	while [ ! -e /tmp/stop ]; do
		seq $((seconds * 1000)) $((seconds * 1000 + 999))
		seconds=$((seconds + 1))
		sleep 0.2
	done | strelaysrv-testutil -join -sessions 1 -keys /tmp/a -relay "$uri" -token secret \
		-debug >/dev/null 2>/tmp/a/log &
	sender=$!
	await 60 "a device joins: $(cat /tmp/a/log)" grep -qi join /tmp/a/log
	sleep 1
	sleep 1000 | strelaysrv-testutil -connect "$(grep -oE '[A-Z0-9-]{63}' /tmp/a/id | head -n 1)" \
		-keys /tmp/b -relay "$uri" >/tmp/b/got 2>/tmp/b/log &
	await 60 "a session begins: $(cat /tmp/b/log)" test -s /tmp/b/got
}

# goes_on: more of it arrives.
goes_on() {
	reached=$(wc -l </tmp/b/got)
	await 60 "the session stands still" sh -c "[ \$(wc -l </tmp/b/got) -gt $reached ]"
}

# Line N has the number N-1: none is missing, none is changed.
end_session() {
	reached=$(wc -l </tmp/b/got)
	: >/tmp/stop
	wait "$sender" || true
	awk '$1 != NR - 1 { exit 1 }' /tmp/b/got || fail "the stream has a hole"
	[ "$(wc -l </tmp/b/got)" -ge "$reached" ] || fail "the end of the stream is missing"
}
