#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Measures the module cluster with a real Redis on this machine.
#
#   sh tests/bench/cluster.sh                          some minutes
#   sh tests/bench/cluster.sh --devices 12000 --nodes 1 2 4 8 --claims 1000000
#
# Installs what is missing, builds into build-bench, and prints a table. See
# tests/bench/README.md.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build-bench"

packages="python3-cryptography python3-pytest redis-server"
. "$root/tests/bench/build.sh"

STRELAYSRV="$build/strelaysrv" PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/bench/cluster.py" "$@"
