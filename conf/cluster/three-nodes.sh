#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Three relays behind one address, on this machine alone: an example to try.
#
#   sh conf/cluster/three-nodes.sh start [one|two|three]    all, or that node; prints the URI
#   sh conf/cluster/three-nodes.sh stop [one|two|three]     all, or that node
#   sh conf/cluster/three-nodes.sh status [one|two|three]   the nodes, as that one sees them
#   sh conf/cluster/three-nodes.sh ctl one|two|three COMMAND...   as strelaysrv -ctl COMMAND...
#
# It needs redis-server and haproxy, and the relay: that of build/, else an installed one (or
# STRELAYSRV, the program). Everything is kept in build/cluster, else in strelaysrv-cluster
# at home (or in the folder that CLUSTER names).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build
if [ -x "$build/strelaysrv" ]; then
	build=$(cd "$build" && pwd)
	relay=${STRELAYSRV:-$build/strelaysrv}
	folder=${CLUSTER:-$build/cluster}
else
	relay=${STRELAYSRV:-$(command -v strelaysrv || echo strelaysrv)}
	folder=${CLUSTER:-$HOME/strelaysrv-cluster}
fi
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
	# What the last one has logged is not of this one.
	rm -f "$folder/$name.log"
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

# node NAME COMMAND...: with the environment of that node.
node() {
	address=$(address_of "$1") || exit 1
	NODE=$1
	shift
	NODE=$NODE ADDRESS=$address KEYS=$folder FOLDER=$folder "$@"
}

failed() {
	cat "$folder/$1.log" >&2
	fail "$1 did not start"
}

start_node() {
	[ -f "$folder/node.conf" ] || fail "start all of them first"
	node "$1" launch "$1" "$relay" -conf "$folder/node.conf"
	wait_until grep -q 'ready, with modules' "$folder/$1.log" || failed "$1"
}

# With -D it returns when it listens, or cannot.
start_haproxy() {
	runs haproxy || FRONT=$front PATH=$PATH:/usr/sbin haproxy -D -p "$folder/haproxy.pid" \
		-f "$folder/haproxy.cfg" >"$folder/haproxy.log" 2>&1 || failed haproxy
}

# ctl NAME COMMAND...
ctl() {
	name=$1
	shift
	node "$name" "$relay" -conf "$folder/node.conf" -ctl "$@" || return
	[ "${1:-}" = upgrade ] || return 0
	# Another process has taken over.
	node "$name" "$relay" -conf "$folder/node.conf" -ctl status |
		sed -n 's/^process *//p' >"$folder/$name.pid"
}

start_all() {
	for program in redis-server haproxy; do
		PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
			fail "$program is missing: apt-get install redis-server haproxy"
	done
	[ -x "$relay" ] || fail "there is no program $relay: build or install it, see README.md"
	mkdir -p "$folder"
	chmod 700 "$folder"
	cp "$here/node.conf" "$here/haproxy.cfg" "$folder"
	launch redis redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' \
		--dir "$folder"
	wait_until grep -q 'eady to accept connections' "$folder/redis.log" || failed redis
	# The first one makes the keys of all.
	for node in $nodes; do
		start_node "$node"
	done
	start_haproxy
	sed -n "s|.*URI: relay://[^/]*\(/?id=[A-Z0-9-]*\).*|relay://$front:22067\1|p" \
		"$folder/one.log" | tail -n 1
}

# Nobody may have waited for it: then it is in /proc still, without a command line.
has_ended() {
	! runs "$1"
}

stop_one() {
	runs "$1" || return 0
	kill "$pid"
	wait_until has_ended "$1" || fail "$1 (process $pid) does not end"
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
status,*) ctl "${2:-one}" cluster ;;
ctl,?*)
	shift
	ctl "$@"
	;;
*)
	sed -n 's/^# *\(sh conf\)/\1/p' "$0" >&2
	exit 2
	;;
esac
