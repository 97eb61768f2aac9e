#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Compares our relay with the Go reference, haproxy, Debian's transit relay of Magic
# Wormhole, and no relay at all.
#
#   sh tests/bench/compare.sh            5 rounds, about 15 minutes on 2 CPUs
#   sh tests/bench/compare.sh --short    1 round of less than a minute
#
# Installs the peers if they are missing, builds into build-bench, prints a table,
# and leaves results.json and results.svg there; the full form renews
# tests/bench/results.svg, too.  See tests/bench/README.md.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build-bench"

packages="haproxy magic-wormhole-transit-relay syncthing-relaysrv"
. "$root/tests/bench/build.sh"

# exec, so that a signal reaches the process that started the servers.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/bench/compare.py" --build "$build" "$@"
