#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Which functions of core/ and modules/ does no test run, and which part of the lines?
#
#   sh tests/never_run.sh            builds, runs all unit and black-box tests, lists
#                                    (the stage never-run of run.sh)
#   sh tests/never_run.sh -k NAME    adds what these tests run to what others ran
#   REPORT=coverage sh tests/never_run.sh    prints the lines by file (the stage coverage)
#
# Fails if there is a function, or with REPORT=coverage, a file below its limit. Tests that fail are only told: gcov's own code needs memory
# that some tests withhold, and other stages judge them. Counts are kept in
# build-coverage; remove its *.gcda files to begin anew.
set -u
failed=0

root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/build-coverage"
# Servers that switch to another user must be able to write their counts.
umask 000
cd "$root" || exit 1
export PYTHONDONTWRITEBYTECODE=1

mkdir -p "$build"
{
	cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Coverage -DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)"
} >"$build/build.log" 2>&1 || {
	tail -n 60 "$build/build.log"
	exit 1
}
[ $# -gt 0 ] || (cd "$build" && ctest -j "$(nproc)" >ctest.log) || {
	echo "unit tests fail: $build/ctest.log"
	failed=1
}
STRELAYSRV="$build/strelaysrv" TEST_SLOWNESS=3 /usr/bin/python3 -m pytest -q \
	-p no:cacheprovider -n 6 --timeout=600 --only ours tests/integration "$@" \
	>"$build/pytest.log" 2>&1 || echo "some tests fail: $build/pytest.log"
/usr/bin/python3 "tests/${REPORT:-never_run}.py" "$build" || failed=1
exit "$failed"
