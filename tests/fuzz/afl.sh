#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the fuzz targets with AFL++ and runs each for a while.
#
#   sh tests/fuzz/afl.sh [SECONDS [FOLDER]]
#
# Its arguments, TARGETS and its exit code are those of run.sh. It needs the package afl++;
# 77: it is not there. Whole connections are not among the targets: they are a part of
# the server's own build.
set -u

seconds=${1:-60}
case $seconds in
'' | *[!0-9]* | 0)
	echo "afl.sh: SECONDS is \"$seconds\", not a number above 0" >&2
	exit 2
	;;
esac
if ! command -v afl-clang-fast >/dev/null || ! command -v afl-fuzz >/dev/null; then
	echo "NOT RUN: AFL++: there is no afl-fuzz or no afl-clang-fast (Debian: afl++)"
	exit 77
fi
here=$(cd "$(dirname "$0")" && pwd) || exit 2
if [ $# -ge 2 ]; then
	mkdir -p "$2" && folder=$(cd "$2" && pwd) || exit 2
	keep=yes
else
	folder=$(mktemp -d) || exit 2
	keep=no
fi

# A container or another user's machine allows neither to change the governor nor where
# the kernel sends cores to.
export AFL_NO_UI=1 AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1

wanted=fuzz
[ -z "${TARGETS:-}" ] || wanted=$(printf 'fuzz_%s ' $TARGETS)
log=$folder/build.log
# shellcheck disable=SC2086
# -fsanitize=fuzzer, which the targets have with clang, is AFL's own driver here.
if ! cmake -S "$here" -B "$folder" -DCMAKE_C_COMPILER=afl-clang-fast >"$log" 2>&1 ||
	! cmake --build "$folder" --target $wanted -j "$(nproc)" >>"$log" 2>&1; then
	tail -n 40 "$log" >&2
	echo "afl.sh: the build failed; see $log" >&2
	exit 2
fi

# figure NAME KEY: of what afl-fuzz has done
figure() {
	sed -n "s/^$2 *: *//p" "$folder/found/$1/default/fuzzer_stats"
}

failed=
for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	case " ${TARGETS:-$name} " in *" $name "*) ;; *) continue ;; esac
	if [ ! -x "$folder/fuzz_$name" ]; then
		echo "$name: NOT RUN, not built here"
		continue
	fi
	rm -rf "$folder/found/$name"
	mkdir -p "$folder/found" || exit 2
	set -- -i "$here/seeds/$name" -o "$folder/found/$name" -V "$seconds" -m none -t 5000+
	[ -f "$here/$name.dict" ] && set -- -x "$here/$name.dict" "$@"
	if timeout -k 10 $((seconds + 120)) afl-fuzz "$@" -- "$folder/fuzz_$name" \
		>"$folder/$name.log" 2>&1 && [ "$(figure "$name" saved_crashes)" = 0 ] &&
		[ "$(figure "$name" saved_hangs)" = 0 ]; then
		echo "$name: nothing found in $seconds s, $(figure "$name" execs_done) inputs"
	else
		tail -n 20 "$folder/$name.log" >&2
		echo "$name: FAILED; $name.log and found/$name are in $folder" >&2
		failed="$failed $name"
	fi
done

if [ -n "$failed" ]; then
	echo "afl.sh: failed:$failed; a fixed crash becomes a seed" >&2
	exit 1
fi
[ "$keep" = yes ] || rm -rf "$folder"
exit 0
