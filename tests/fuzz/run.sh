#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the fuzz targets and runs each for a while.
#
#   sh tests/fuzz/run.sh [SECONDS [FOLDER]]
#
# SECONDS per target, 60 if not given.  FOLDER is for the build and for what is
# found, and stays; without it a temporary one is used, which stays only if
# something was found.  TARGETS="http pem" runs only these.  CC chooses the
# compiler; clang, which has libFuzzer, is taken if there is one.  With AFL=1 it is
# AFL++ (Debian: afl++), for all targets but connection, which is a part of the
# server's own build.  Exit code: 0 nothing found, 1 something found, 2 the targets
# could not be built, 77 there is no AFL++.
set -u

seconds=${1:-60}
case $seconds in
'' | *[!0-9]* | 0)
	echo "run.sh: SECONDS is \"$seconds\", not a number above 0" >&2
	exit 2
	;;
esac
here=$(cd "$(dirname "$0")" && pwd) || exit 2
if [ $# -ge 2 ]; then
	mkdir -p "$2" && folder=$(cd "$2" && pwd) || exit 2
	keep=yes
else
	folder=$(mktemp -d) || exit 2
	keep=no
fi
if [ -n "${AFL:-}" ]; then
	if ! command -v afl-clang-fast >/dev/null || ! command -v afl-fuzz >/dev/null; then
		echo "NOT RUN: AFL++: there is no afl-fuzz or no afl-clang-fast"
		exit 77
	fi
	CC=afl-clang-fast
	# Neither the governor nor where cores go to can be changed in a container.
	export AFL_NO_UI=1 AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1
	export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
elif [ -z "${CC:-}" ]; then
	CC=$(command -v clang || command -v cc) || exit 2
fi

wanted=fuzz
[ -z "${AFL:+${TARGETS:-}}" ] || wanted=$(printf 'fuzz_%s ' $TARGETS)
log=$folder/build.log
# shellcheck disable=SC2086
if ! cmake -S "$here" -B "$folder" -DCMAKE_C_COMPILER="$CC" >"$log" 2>&1 ||
	! cmake --build "$folder" --target $wanted -j 4 >>"$log" 2>&1; then
	cat "$log" >&2
	echo "run.sh: the build failed; see $log" >&2
	exit 2
fi

# Whole connections need the server's own object files and modules.
build_connection() {
	server=$folder/server
	libfuzzer=OFF
	flags=
	if "$CC" -dM -E - </dev/null | grep -q __clang__; then
		libfuzzer=ON
		flags=-fsanitize=fuzzer-no-link
	fi
	log=$folder/server.log
	if ! cmake -S "$here/../.." -B "$server" -DCMAKE_C_COMPILER="$CC" \
		-DCMAKE_BUILD_TYPE=ASan -DBUILD_TESTING=ON -DLIBFUZZER="$libfuzzer" \
		-DCMAKE_C_FLAGS="$flags" >"$log" 2>&1 ||
		! cmake --build "$server" --target fuzz_connection -j 4 >>"$log" 2>&1; then
		cat "$log" >&2
		echo "run.sh: the build of fuzz_connection failed; see $log" >&2
		exit 2
	fi
	cp "$server/tests/fuzz/fuzz_connection" "$folder/" || exit 2
}

# The limits of timeout are for a target that hangs within one input.
fuzz() {
	set -- "$folder/$name" "$here/seeds/$name"
	[ ! -f "$here/$name.dict" ] || set -- "-dict=$here/$name.dict" "$@"
	mkdir -p "$folder/$name" || exit 2
	timeout -k 10 $((seconds + 60)) "$folder/fuzz_$name" \
		-max_total_time="$seconds" -max_len=4096 -timeout=20 \
		-rss_limit_mb=2048 -artifact_prefix="$folder/$name-" \
		"$@" >"$folder/$name.log" 2>&1 || return 1
	inputs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p
		s/.*: \([0-9]*\) inputs from.*/\1/p' "$folder/$name.log")
}

# figure KEY: of what afl-fuzz has done
figure() {
	sed -n "s/^$1 *: *//p" "$folder/$name/default/fuzzer_stats"
}

fuzz_with_afl() {
	rm -rf "${folder:?}/$name"
	set -- -i "$here/seeds/$name" -o "$folder/$name" -V "$seconds" -m none -t 5000+
	[ ! -f "$here/$name.dict" ] || set -- -x "$here/$name.dict" "$@"
	timeout -k 10 $((seconds + 120)) afl-fuzz "$@" -- "$folder/fuzz_$name" \
		>"$folder/$name.log" 2>&1 && [ "$(figure saved_crashes)" = 0 ] &&
		[ "$(figure saved_hangs)" = 0 ] || return 1
	inputs=$(figure execs_done)
}

[ -n "${AFL:-}" ] || build_connection
failed=
for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	case " ${TARGETS:-$name} " in *" $name "*) ;; *) continue ;; esac
	# Not every target is built everywhere.
	if [ ! -x "$folder/fuzz_$name" ]; then
		echo "$name: NOT RUN, not built here"
		continue
	fi
	if "fuzz${AFL:+_with_afl}"; then
		echo "$name: nothing found in $seconds s, ${inputs:-0} inputs"
	else
		tail -n 40 "$folder/$name.log" >&2
		echo "$name: FAILED; the input and $name.log are in $folder" >&2
		failed="$failed $name"
	fi
done

if [ -n "$failed" ]; then
	echo "run.sh: failed:$failed; a fixed crash becomes a seed" >&2
	exit 1
fi
[ "$keep" = yes ] || rm -rf "$folder"
exit 0
