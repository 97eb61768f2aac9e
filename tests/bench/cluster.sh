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

# shellcheck disable=SC2046
sh "$root/conf/install-packages.sh" $(cat "$root/conf/build-packages") \
	libcmocka-dev python3 python3-cryptography python3-pytest redis-server
{
	cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release \
		-DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)"
} >"$build.log" 2>&1 || {
	cat "$build.log" >&2
	exit 1
}
mv "$build.log" "$build/build.log"

STRELAYSRV="$build/strelaysrv" PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/bench/cluster.py" "$@"
