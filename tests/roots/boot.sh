#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Boots the clean Debian that root.sh has made: systemd is process 1 there, and the command
# runs beside its services. The network has loopback only, so packages that the command
# installs are named here first, and downloaded.
#
#   sh tests/roots/boot.sh PACKAGE... -- COMMAND [ARGUMENT...]
#
# The exit code is the command's, or 77 with a reason if systemd cannot run here.
set -eu
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"

skip() {
	cat "$log"
	echo "== NOT RUN $place: systemd as process 1: $*" >&2
	exit 77
}

# In the namespaces, as process 1. A root with a part of /sys and /proc that cannot be
# written is a container for systemd, which then leaves devices and the kernel alone.
if [ "${1:-}" = --inside ]; then
	mount --make-rprivate /
	ip link set lo up
	mount -t proc proc /proc
	for path in /proc/sys /proc/sysrq-trigger; do
		[ -e $path ] || continue
		mount --bind $path $path
		mount -o remount,bind,ro $path
	done
	umount -l /sys
	mount -t sysfs -o ro sysfs /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs /mnt
	for name in null zero full random urandom tty; do
		: >/mnt/$name
		mount --bind /dev/$name /mnt/$name
	done
	mkdir /mnt/pts /mnt/shm
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /mnt/pts
	ln -s pts/ptmx /mnt/ptmx
	ln -s /proc/self/fd /mnt/fd
	for name in stdin:0 stdout:1 stderr:2; do
		ln -s "/proc/self/fd/${name#*:}" "/mnt/${name%:*}"
	done
	umount -l /dev
	mount --move /mnt /dev
	mount -t tmpfs -o mode=755 tmpfs /run
	# In a container, systemd leaves this to who made it. It mounts credentials in a child.
	mount --make-rshared /
	exec env -i container=strelaysrv-test LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin,-mac_override \
		/lib/systemd/systemd
fi

names=""
until [ "$1" = -- ]; do
	names="$names $1"
	shift
done
shift

get_packages apt-get -qq update
get_packages apt-get -qq -y --no-install-recommends install systemd-sysv dbus iproute2 procps
# One after the other, since they may exclude each other; a name may be a pattern.
for name in $names; do
	get_packages apt-get -qq -y --download-only install "$name"
done
# What would run by the clock, or install packages meanwhile.
for name in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer; do
	ln -sf /dev/null /etc/systemd/system/$name
done
rm -f /usr/sbin/policy-rc.d

# A control group of its own is what it sees as the root of all.
groups=/run/strelaysrv-test
mkdir -p $groups
mount -t cgroup2 cgroup2 $groups >"$log" 2>&1 || skip "cannot mount control groups"
own=$(mktemp -d $groups/strelaysrv-test.XXXXXX 2>"$log") || skip "cannot make a control group"
end() {
	kill -KILL "$outer" 2>/dev/null || true
	wait "$outer" 2>/dev/null || true
	# The kernel takes a moment to see that it is empty.
	tries=100
	until find "$own" -depth -type d -exec rmdir {} + 2>/dev/null || [ "$tries" -eq 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
}
# shellcheck disable=SC2016
sh -euc 'echo 0 >"$1/cgroup.procs"
exec unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child sh "$2" --inside' \
	sh "$own" "$0" >"$log" 2>&1 </dev/null &
outer=$!
trap end EXIT
trap 'exit 1' INT TERM HUP

first=""
tries=600
until [ -n "$first" ] && nsenter -t "$first" -a test -S /run/systemd/private 2>/dev/null; do
	first=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null) || skip "it does not start"
	first=${first% }
	tries=$((tries - 1))
	[ $tries -gt 0 ] || skip "it does not begin to work within 60 s"
	sleep 0.1
done
state=$(nsenter -t "$first" -a timeout 120 systemctl is-system-running --wait) || {
	nsenter -t "$first" -a systemctl --failed --no-pager
	nsenter -t "$first" -a journalctl --no-pager -p warning
	skip "it is '$state', not running"
}
code=0
# shellcheck disable=SC2016
nsenter -t "$first" -a env -i HOME=/root LANG=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	sh -euc 'cd "$1"; shift; exec "$@"' sh "$PWD" "$@" || code=$?
exit $code
