#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Compares our relay with the Go reference, haproxy, Debian's transit relay of Magic
# Wormhole, and no relay at all.
#
#   sh tests/bench/compare.sh            5 rounds, less than 10 minutes on 2 CPUs
#   sh tests/bench/compare.sh --short    1 round of less than a minute
#
# Installs the peers if they are missing, builds into build-bench, prints a table,
# and leaves results.json and results.svg there; the full form renews
# tests/bench/results.svg, too.  See tests/bench/README.md.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build-bench"

# shellcheck disable=SC2046
sh "$root/conf/install-packages.sh" $(cat "$root/conf/build-packages") \
	haproxy libcmocka-dev magic-wormhole-transit-relay python3 syncthing-relaysrv
{
	cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release \
		-DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)"
} >"$build.log" 2>&1 || {
	cat "$build.log" >&2
	exit 1
}
mv "$build.log" "$build/build.log"

# exec, so that a signal reaches the process that started the servers.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/bench/compare.py" --build "$build" "$@"
