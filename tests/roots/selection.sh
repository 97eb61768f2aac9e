#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What the stage `roots` runs in a clean Debian: the commands of README.md, the
# quickstart, the unit tests, and some black-box tests. root.sh starts it.
set -eu
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
python=/usr/bin/python3
CMAKE_BUILD_PARALLEL_LEVEL=$(nproc)
# One date for all, because with another one the core is compiled again.
SOURCE_DATE_EPOCH=$(date +%s)
export CMAKE_BUILD_PARALLEL_LEVEL PYTHONDONTWRITEBYTECODE=1 SOURCE_DATE_EPOCH

# The server of README.md's commands runs until it is ended.
try_server() {
	sh -c "exec $1" >"$log" 2>&1 &
	server=$!
	await 10 "$1" grep -q 'URI: relay://' "$log"
	kill "$server"
	wait "$server" || fail "$1 ended with $?"
}

# Word for word. The machine has no sudo, and root needs none.
commands_of_readme() {
	printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
	chmod +x /usr/local/bin/sudo
	# shellcheck disable=SC2016
	sed -n '/^## Build and install/,/^## /{/^```sh/,/^```/p}' README.md |
		grep -v '^```' >/tmp/commands
	[ "$(wc -l </tmp/commands)" -eq 4 ] || fail "the commands of README.md"
	while read -r command; do
		echo "-- $command"
		case $command in
		build/strelaysrv*) try_server "$command" ;;
		*install-packages*) get_packages sh -c "$command" ;;
		*) sh -c "$command" >"$log" 2>&1 </dev/null || fail "$command" ;;
		esac
		cat "$log" >>/tmp/readme.log
	done </tmp/commands
	rm /usr/local/bin/sudo
	grep -q 'The tests are not built' /tmp/readme.log ||
		fail "cmake says that the tests are not built"
	! grep 'warning:' /tmp/readme.log || fail "the build warns"
	(cd / && quietly strelaysrv -version)
}

quickstart() {
	echo "-- quickstart"
	LISTEN=127.0.0.1:0 STATUS=127.0.0.1:0 quietly sh conf/quickstart.sh
	grep -q 'relay://127.0.0.1' "$log" || fail "quickstart prints no URI"
	quietly sh conf/quickstart.sh stop
	grep -q Stopped "$log" || fail "quickstart does not stop"
}

# Every name in the lists is a package of this release; installed are those that the
# tests below need.
packages_of_tests() {
	echo "-- packages of the tests"
	# shellcheck disable=SC2046
	quietly apt-get -qq -s --no-install-recommends install \
		$(cat conf/build-packages tests/test-packages)
	# shellcheck disable=SC2046
	get_packages sh conf/install-packages.sh libcmocka-dev $(grep -Ex \
		'iproute2|libseccomp2|miniupnpd.*|nftables|procps|python3-.*' \
		tests/test-packages)
	# Debian 13 has it, and 12 has not: there the tests of it are skipped.
	! apt-cache show valkey-server >/dev/null 2>&1 ||
		get_packages apt-get -qq -y --no-install-recommends install \
			valkey-server
}

unit_tests() {
	echo "-- unit tests"
	quietly cmake -S . -B build -DBUILD_TESTING=ON
	quietly cmake --build build
	! grep 'warning:' "$log" || fail "the build warns"
	# Fuzzing and the bench are no less random here than outside.
	(cd build && quietly ctest --output-on-failure -j "$(nproc)" -E '^(fuzz|bench)-')
	tail -n 4 "$log"
}

black_box() {
	echo "-- black-box tests"
	export STRELAYSRV="$PWD/build/strelaysrv"
	cluster=
	! command -v valkey-server >/dev/null ||
		cluster=tests/integration/cluster/test_cluster.py
	# shellcheck disable=SC2086
	set -- "$python" -m pytest -q --only=ours --timeout=300 -o cache_dir=/tmp/pytest \
		tests/integration/addresses/test_nat.py \
		tests/integration/cluster/test_cluster_valkey.py $cluster \
		tests/integration/process/test_install.py \
		tests/integration/sessions/test_session.py
	"$@" -n 4 && return
	# As in run.sh: a busy machine may make a few fail.
	[ "$(grep -c true /tmp/pytest/v/cache/lastfailed)" -le 5 ] || return 1
	echo "-- what failed beside others: once more, alone"
	"$@" --last-failed --last-failed-no-failures=none
}

began=$(date +%s)
commands_of_readme
quickstart
packages_of_tests
unit_tests
black_box
echo "-- $(($(date +%s) - began)) s"
