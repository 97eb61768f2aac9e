#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Every attack on this server and on the Go relay, while good clients are timed.
#
#   sh tests/siege/siege.sh                     all attacks, about 10 minutes
#   sh tests/siege/siege.sh --seconds 60 silent one of them, for longer
#   sh tests/siege/siege.sh --before FILE       another build of ours beside it
#   sh tests/siege/siege.sh --readme            writes its table into the README
#
# Builds what it needs into build-siege, keeps the results there, and prints the tables
# of tests/siege/README.md, which are not edited by hand.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/build-siege"

# shellcheck disable=SC2046
sh "$root/conf/install-packages.sh" $(cat "$root/conf/build-packages") \
	iproute2 libcmocka-dev python3 syncthing-relaysrv
mkdir -p "$build"
{
	cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release \
		-DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)" --target strelaysrv \
			relay-siege module_log module_bounds module_relay \
			module_rate-limit module_status module_prometheus
} >"$build/build.log" 2>&1 || {
	cat "$build/build.log" >&2
	exit 1
}

# exec, so that a signal reaches the process that started the servers.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 \
	"$root/tests/siege/compare.py" --build "$build" "$@"
