#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# How many lines of each reader's files do the fuzz targets reach?
#
#   sh tests/fuzz/reach.sh [FOLDER [TARGET...]]
#
# Runs each target once with each of its seeds, and with what run.sh has found in
# FOLDER, and prints the lines of core/, modules/ and tests/testutil/ that were run,
# by file. It needs clang, and llvm-profdata and llvm-cov of the same version.
#
#   sh tests/fuzz/reach.sh "" connection
#
# The target connection is a part of the server's own build, which takes minutes; so it is
# run only if it is named, with its seeds and 5,000 mutations of them.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 2
top=$(cd "$here/../.." && pwd) || exit 2
found=${1:+$(cd "$1" && pwd)} || exit 2
[ $# -eq 0 ] || shift
build=$(mktemp -d) || exit 2
trap 'rm -rf "$build"' EXIT

flags="-fprofile-instr-generate -fcoverage-mapping"

# made LOG COMMAND...: 0 if the command succeeds; else prints what it has said.
made() {
	log=$1
	shift
	"$@" >>"$log" 2>&1 && return 0
	cat "$log" >&2
	return 1
}

# report NAME PROGRAM: the lines that were run, from NAME.profraw.
report() {
	llvm-profdata merge -o "$build/$1.profdata" "$build/$1.profraw" || exit 2
	echo "== $1"
	llvm-cov export -summary-only "$2" -instr-profile "$build/$1.profdata" |
		/usr/bin/python3 -c '
import json, os, sys
top = sys.argv[1] + "/"
for file in json.load(sys.stdin)["data"][0]["files"]:
    name, lines = os.path.realpath(file["filename"]), file["summary"]["lines"]
    if name.startswith(top) and "/fuzz/" not in name and name.endswith(".c") and lines["covered"]:
        print("%5.1f %% of %4d  %s" % (lines["percent"], lines["count"], name[len(top):]))
' "$top"
}

# run NAME PROGRAM ARGUMENT...
run() {
	name=$1
	shift
	LLVM_PROFILE_FILE=$build/$name.profraw "$@" >"$build/$name.log" 2>&1 && return 0
	tail -n 20 "$build/$name.log" >&2
	exit 1
}

connection() {
	made "$build/server.log" cmake -S "$top" -B "$build/server" -DCMAKE_BUILD_TYPE=Debug \
		-DBUILD_TESTING=ON -DCMAKE_C_COMPILER=clang "-DCMAKE_C_FLAGS=-O1 $flags" &&
		made "$build/server.log" cmake --build "$build/server" --target fuzz_connection \
			-j "$(nproc)" || exit 2
	program=$build/server/tests/fuzz/fuzz_connection
	run connection "$program" -runs=5000 -seed=2 "-artifact_prefix=$build/" \
		"$here/seeds/connection"
	report connection "$program"
}

if [ "$*" = connection ]; then
	connection
	exit 0
fi
made "$build/build.log" cmake -S "$here" -B "$build" -DCMAKE_C_COMPILER=clang \
	"-DCMAKE_C_FLAGS=$flags" &&
	made "$build/build.log" cmake --build "$build" --target fuzz -j "$(nproc)" || exit 2
for program in "$build"/fuzz_*; do
	[ -x "$program" ] && [ ! -d "$program" ] || continue
	name=${program##*/fuzz_}
	[ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	mkdir -p "$build/corpus/$name"
	run "$name" "$program" -runs=0 -detect_leaks=0 "$here/seeds/$name" \
		${found:+$(ls -d "$found/$name" 2>/dev/null)}
	report "$name" "$program"
done
case " $* " in *" connection "*) connection ;; esac
