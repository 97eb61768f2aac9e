#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Finds the server that runs as a service of this machine, and signals it.
#
#   signal-running SIGNAL    sends the signal, such as HUP
#   signal-running upgrade   has it start the installed program, which takes over, and
#                            waits until that serves
#
# Exit codes: 0 done; 1 the server could not upgrade itself; 3 no server runs.
set -eu

program=${STRELAYSRV_PROGRAM:-/usr/bin/strelaysrv}

with_systemd() {
	[ -z "${STRELAYSRV_PROGRAM:-}" ] && [ -d /run/systemd/system ]
}

main_pid() {
	pid=$(systemctl show --property MainPID --value strelaysrv.service 2>/dev/null || true)
	[ "${pid:-0}" -eq 0 ] || echo "$pid"
}

# is_launcher PID: whether it is the process that a server keeps to start its successor.
is_launcher() {
	name=""
	{ read -r name <"/proc/$1/comm"; } 2>/dev/null || true
	[ "$name" = strelaysrv-next ]
}

# is_ours PID: whether it runs the program, or the file that a package has replaced since,
# on this root: containers have other ones.
is_ours() {
	[ "/proc/$1/root" -ef / ] && ! is_launcher "$1" || return 1
	case $(readlink "/proc/$1/exe" 2>/dev/null) in
	"$program" | "$program (deleted)" | "$program.dpkg-tmp (deleted)") return 0 ;;
	esac
	return 1
}

# runs PID: sets $ppid. A process that has ended is in /proc until its parent has asked how.
# It starts no process: a machine may have thousands of them, which are all looked at.
runs() {
	ppid="" state=""
	{
		while read -r key value _; do
			case $key in
			State:) state=$value ;;
			PPid:) ppid=$value ;;
			Uid:) break ;;
			esac
		done <"/proc/$1/status"
	} 2>/dev/null || return 1
	case $state in
	'' | [ZX]) return 1 ;;
	esac
}

# is_child PID PARENT
is_child() {
	runs "$1" && [ "$ppid" = "$2" ]
}

# drains PID: whether another process serves since an upgrade. That is its child.
drains() {
	for child in $ours; do
		! is_child "$child" "$1" || return 0
	done
	return 1
}

servers() {
	if with_systemd; then
		main_pid
		return
	fi
	ours=""
	for folder in /proc/[0-9]*; do
		! is_ours "${folder#/proc/}" || ours="$ours ${folder#/proc/}"
	done
	for pid in $ours; do
		drains "$pid" || echo "$pid"
	done
}

# The process that the server PID has started from the installed file.
successor() {
	for folder in /proc/[0-9]*; do
		new=${folder#/proc/}
		is_child "$new" "$1" && [ "$folder/exe" -ef "$program" ] || continue
		! is_launcher "$new" || continue
		echo "$new"
		return
	done
}

# Those that serve, of the installed file.
installed() {
	for server in $(servers); do
		[ ! "/proc/$server/exe" -ef "$program" ] || echo "$server"
	done
}

# Whether a server of the installed file runs that did not run before: the old process
# may hand over, and end, while the processes are looked at.
has_new() {
	for server in $(installed); do
		case " $before " in
		*" $server "*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}

# is_final PID: whether the new process has left the process group of its own, which it has
# for as long as the old one would kill it if it failed.
is_final() {
	group=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 3)
	[ -n "$group" ] && [ "$group" != "$1" ]
}

# The new process must begin within 20 s, since before it the old one waits for at most 17
# (for files that do not answer). Then the old one ends it if it is not ready within
# upgrade-timeout, or fails in the five seconds after that; ten minutes are for one that hangs.
upgrade() {
	old=$1 new="" tries=80
	before=$(installed | tr '\n' ' ')
	kill -USR2 "$old" || return 1
	until [ -n "$new" ]; do
		runs "$old" || {
			has_new
			return
		}
		[ "$tries" -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.25
		new=$(successor "$old")
	done
	tries=2400
	until is_final "$new" || ! runs "$old"; do
		runs "$new" && [ "$tries" -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.25
	done
	runs "$new"
}

[ $# -eq 1 ] || {
	sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
found=$(servers)
[ -n "$found" ] || exit 3
code=0
for pid in $found; do
	if [ "$1" = upgrade ]; then
		# The installed file runs already.
		[ ! "/proc/$pid/exe" -ef "$program" ] || continue
		upgrade "$pid" || code=1
	else
		kill -s "$1" "$pid" || code=1
	fi
done
exit $code
