#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Three relays behind one address, on this machine alone: an example to try.
#
#   sh conf/cluster/three-nodes.sh start     prints the URI
#   sh conf/cluster/three-nodes.sh status    the nodes, as node one sees them
#   sh conf/cluster/three-nodes.sh stop [one|two|three]     all, or that node
#   sh conf/cluster/three-nodes.sh start [one|two|three]    all, or that node
#
# It needs redis-server and haproxy, and the relay in build/ (or STRELAYSRV, the program).
# Everything is kept in build/cluster, or in the folder that CLUSTER names.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
relay=${STRELAYSRV:-$root/build/strelaysrv}
folder=${CLUSTER:-$root/build/cluster}
front=127.0.0.10
nodes="one two three"

fail() {
	echo "$0: $1" >&2
	exit 1
}

address_of() {
	case $1 in
	one) echo 127.0.0.11 ;;
	two) echo 127.0.0.12 ;;
	three) echo 127.0.0.13 ;;
	*) fail "there is no node '$1': it is one, two or three" ;;
	esac
}

# Whether the process of NAME.pid runs; its number may have been given to another program.
runs() {
	pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$folder"
}

# launch NAME COMMAND...
launch() {
	name=$1
	shift
	runs "$name" && return 0
	setsid "$@" >"$folder/$name.log" 2>&1 </dev/null &
	echo $! >"$folder/$name.pid"
}

# wait_until COMMAND...: for ten seconds at most.
wait_until() {
	tries=100
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

start_node() {
	address=$(address_of "$1") || exit 1
	NODE=$1 ADDRESS=$address KEYS=$folder FOLDER=$folder launch "$1" "$relay" \
		-conf "$folder/node.conf"
	wait_until grep -q 'URI: relay://' "$folder/$1.log" || {
		cat "$folder/$1.log" >&2
		fail "node $1 did not start"
	}
}

start_all() {
	for program in redis-server haproxy; do
		PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
			fail "$program is missing: apt-get install redis-server haproxy"
	done
	[ -x "$relay" ] || fail "there is no program $relay: build it, see README.md"
	mkdir -p "$folder"
	chmod 700 "$folder"
	cp "$root/conf/cluster/node.conf" "$root/conf/cluster/haproxy.cfg" "$folder"
	launch redis redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' \
		--dir "$folder"
	wait_until test -S "$folder/redis.sock" || fail "Redis did not start"
	# The first one makes the keys of all.
	for node in $nodes; do
		start_node "$node"
	done
	FRONT=$front PATH=$PATH:/usr/sbin launch haproxy haproxy -db -f "$folder/haproxy.cfg"
	sed -n "s|.*URI: relay://[^/]*\(/?id=[A-Z0-9-]*\).*|relay://$front:22067\1|p" \
		"$folder/one.log" | tail -n 1
}

stop_one() {
	runs "$1" || return 0
	kill "$pid"
	wait_until test ! -d "/proc/$pid" || fail "$1 (process $pid) does not end"
	rm -f "$folder/$1.pid"
}

case ${1:-},${2:-} in
start,) start_all ;;
start,*) start_node "$2" ;;
stop,)
	for name in haproxy three two one redis; do
		stop_one "$name"
	done
	;;
stop,*)
	address_of "$2" >/dev/null
	stop_one "$2"
	;;
status,*)
	NODE=one ADDRESS=127.0.0.11 KEYS=$folder FOLDER=$folder "$relay" \
		-conf "$folder/node.conf" -ctl cluster
	;;
*)
	sed -n 's/^# *\(sh conf\)/\1/p' "$0" >&2
	exit 2
	;;
esac
