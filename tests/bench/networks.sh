#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Compares our relay with the Go reference, haproxy, and no relay over simulated
# networks.  Needs root, for network namespaces and tun devices.
#
#   sh tests/bench/networks.sh            all networks, 3 rounds, an hour and a half
#   sh tests/bench/networks.sh --short    3 networks, 1 round, 3 minutes
#
# Installs the peers if they are missing, builds into build-bench, prints a table, and
# leaves networks.json and networks.svg there; the full form renews
# tests/bench/networks.svg, too.  See tests/bench/networks/README.md.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build-bench"

packages="haproxy iproute2 syncthing-relaysrv"
. "$root/tests/bench/build.sh"

# exec, so that a signal reaches the process that started the servers.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/bench/networks.py" --build "$build" "$@"
