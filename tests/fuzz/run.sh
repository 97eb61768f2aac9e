#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the fuzz targets and runs each for a while.
#
#   sh tests/fuzz/run.sh [SECONDS [FOLDER]]
#
# SECONDS per target, 60 if not given.  FOLDER is for the build and for what is
# found, and stays; without it a temporary one is used, which stays only if
# something was found.  TARGETS="http pem" runs only these.  CC chooses the compiler; clang, which has libFuzzer, is
# taken if there is one.  Exit code: 0 nothing found, 1 something found, 2 the
# targets could not be built.
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
if [ -z "${CC:-}" ]; then
	CC=$(command -v clang || command -v cc) || exit 2
fi

log=$folder/build.log
if ! cmake -S "$here" -B "$folder" -DCMAKE_C_COMPILER="$CC" >"$log" 2>&1 ||
	! cmake --build "$folder" --target fuzz -j 4 >>"$log" 2>&1; then
	cat "$log" >&2
	echo "run.sh: the build failed; see $log" >&2
	exit 2
fi

# Whole connections need the server's own object files and modules.
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
	mkdir -p "$folder/$name" || exit 2
	set -- "$folder/$name" "$here/seeds/$name"
	[ -f "$here/$name.dict" ] && set -- "-dict=$here/$name.dict" "$@"
	# The limit of timeout is for a target that hangs within one input.
	if timeout -k 10 $((seconds + 60)) "$folder/fuzz_$name" \
		-max_total_time="$seconds" -max_len=4096 -timeout=20 \
		-rss_limit_mb=2048 -artifact_prefix="$folder/$name-" \
		"$@" >"$folder/$name.log" 2>&1; then
		inputs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p
			s/.*: \([0-9]*\) inputs from.*/\1/p' "$folder/$name.log")
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
