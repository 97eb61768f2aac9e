#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Which functions of core/ and modules/ does no test run, and which part of the lines?
#
#   sh tests/coverage/run.sh             builds, runs all unit and black-box tests,
#                                        prints both reports; fails if one of them does
#   sh tests/coverage/run.sh never-run   the same, but fails for functions only
#   sh tests/coverage/run.sh coverage    the same, but fails for lines only
#   sh tests/coverage/run.sh -k NAME     adds what these tests run to what others ran
#
# If the counts in build-coverage are those of a whole run of the present files, the
# tests are not repeated. Tests that fail are only named: gcov's own code needs memory
# that some tests withhold, and other stages judge them.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build="$root/build-coverage"
# Servers that switch to another user must be able to write their counts.
umask 000
cd "$root" || exit 1
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$build"

# One number for all files that the counts depend on.
files_sum() {
	git ls-files -co --exclude-standard CMakeLists.txt core modules include tests conf |
		grep -Ev '\.(md|txt)$' | xargs cksum 2>&1 | cksum
}

# count PYTEST_ARGUMENT...
count() {
	STRELAYSRV="$build/strelaysrv" TEST_SLOWNESS=3 /usr/bin/python3 -m pytest -q \
		-p no:cacheprovider -n 6 --timeout=600 --only=ours "$@" tests/integration \
		>"$build/pytest.log" 2>&1 || echo "some tests fail: $build/pytest.log"
}

{
	cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Coverage -DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)"
} >"$build/build.log" 2>&1 || {
	tail -n 60 "$build/build.log"
	exit 1
}
sum=$(files_sum)
failed=0
case ${1:-} in
-*)
	count "$@"
	set --
	[ -e "$build/counted" ] || sum=""
	;;
*)
	if [ "$sum" != "$(cat "$build/counted" 2>/dev/null)" ]; then
		rm -f "$build/counted"
		find "$build" -name '*.gcda' -delete
		(cd "$build" && ctest -j "$(nproc)" >ctest.log) || {
			echo "unit tests fail: $build/ctest.log"
			failed=1
		}
		# What one worker runs, two do as well, but not the other way round.
		count -k 'not ours-1'
	fi
	;;
esac
[ -z "$sum" ] || echo "$sum" >"$build/counted"
/usr/bin/python3 tests/coverage/report.py "$build" "$@" || failed=1
exit "$failed"
