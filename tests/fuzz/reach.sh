#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# How many lines of each reader's files do the fuzz targets reach?
#
#   sh tests/fuzz/reach.sh [FOLDER [TARGET...]]
#
# Runs each target once with each of its seeds, and with what run.sh has found in
# FOLDER, and prints the lines of core/, modules/ and tests/testutil/ that were run,
# by file. It needs clang, and llvm-profdata and llvm-cov of the same version.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 2
top=$(cd "$here/../.." && pwd) || exit 2
found=${1:+$(cd "$1" && pwd)} || exit 2
[ $# -eq 0 ] || shift
build=$(mktemp -d) || exit 2
trap 'rm -rf "$build"' EXIT

if ! cmake -S "$here" -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS="-fprofile-instr-generate -fcoverage-mapping" \
	>"$build/build.log" 2>&1 ||
	! cmake --build "$build" --target fuzz -j "$(nproc)" >>"$build/build.log" 2>&1; then
	cat "$build/build.log" >&2
	exit 2
fi
for program in "$build"/fuzz_*; do
	[ -x "$program" ] && [ ! -d "$program" ] || continue
	name=${program##*/fuzz_}
	[ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
	profile=$build/$name.profraw
	mkdir -p "$build/corpus/$name"
	LLVM_PROFILE_FILE=$profile "$program" -runs=0 -detect_leaks=0 "$here/seeds/$name" \
		${found:+$(ls -d "$found/$name" 2>/dev/null)} >"$build/$name.log" 2>&1 || {
		tail -n 20 "$build/$name.log" >&2
		exit 1
	}
	llvm-profdata merge -o "$build/$name.profdata" "$profile" || exit 2
	echo "== $name"
	llvm-cov export -summary-only "$program" -instr-profile "$build/$name.profdata" |
		/usr/bin/python3 -c '
import json, os, sys
top = sys.argv[1] + "/"
for file in json.load(sys.stdin)["data"][0]["files"]:
    name, lines = os.path.realpath(file["filename"]), file["summary"]["lines"]
    if name.startswith(top) and "/fuzz/" not in name and name.endswith(".c") and lines["covered"]:
        print("%5.1f %% of %4d  %s" % (lines["percent"], lines["count"], name[len(top):]))
' "$top"
done
