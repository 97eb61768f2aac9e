#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Starts a private relay on a fresh Debian: installs missing packages, builds, starts
# the relay in the background, and prints its URI.
#
#   sh conf/quickstart.sh            listens on port 22067, status on 22070
#   LISTEN=:443 STATUS=127.0.0.1:8080 sh conf/quickstart.sh
#   sh conf/quickstart.sh stop       ends it
#
# When run again, it rebuilds and restarts the relay with the same identity, which is
# stored in build/quickstart.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/build"
home="$build/quickstart"
relay="$build/strelaysrv"
pid_file="$home/relay.pid"
log="$home/relay.log"

# After an upgrade (SIGUSR2) the relay runs as another process. Check that the process
# is our relay, because its number may have been reused. The command line is compared,
# because only root may read /proc/PID/exe of the relay.
running_pid() {
	upgraded=$(sed -n 's/.* process \([0-9]*\) serves; this one.*/\1/p' \
		"$log" 2>/dev/null | tail -n 1)
	for pid in $upgraded $(cat "$pid_file" 2>/dev/null); do
		program=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | head -n 1)
		[ "$program" = "$relay" ] || continue
		echo "$pid"
		return 0
	done
	return 1
}

stop() {
	pid=$(running_pid) || return 0
	kill "$pid"
	tries=100
	while [ "$tries" -gt 0 ] && [ -d "/proc/$pid" ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	rm -f "$pid_file"
	echo "Stopped the relay of process $pid."
}

if [ "${1:-}" = stop ]; then
	stop
	exit 0
fi

# shellcheck disable=SC2046
sh "$root/conf/install-packages.sh" $(cat "$root/conf/build-packages")
mkdir -p "$home"
{
	cmake -S "$root" -B "$build" -DBUILD_TESTING=OFF &&
		cmake --build "$build" -j "$(nproc)"
} >"$home/build.log" 2>&1 || {
	cat "$home/build.log" >&2
	exit 1
}

stop
setsid "$relay" -listen "${LISTEN-:22067}" -status-srv "${STATUS-:22070}" \
	-pools= -keys "$home" >"$log" 2>&1 </dev/null &
echo $! >"$pid_file"

# It logs its URI when it is ready; if it fails, it exits and logs the reason.
tries=100
while [ "$tries" -gt 0 ] && ! grep -q 'URI: relay://' "$log"; do
	running_pid >/dev/null || [ "$tries" -gt 95 ] || break
	sleep 0.1
	tries=$((tries - 1))
done
uri=$(sed -n 's/.*URI: \(relay:.*\)/\1/p' "$log" | tail -n 1)
if [ -z "$uri" ]; then
	echo "The relay did not start:" >&2
	cat "$log" >&2
	exit 1
fi

cat <<END
A private relay runs as process $(cat "$pid_file"). Its URI:

$uri

In Syncthing: Settings, Connections, Sync Protocol Listen Addresses; put the URI
there on every device, with this machine's address in place of 0.0.0.0 (it is
reachable at: $(hostname -I 2>/dev/null || hostname)).

  log      $log
  stop     sh conf/quickstart.sh stop
END
