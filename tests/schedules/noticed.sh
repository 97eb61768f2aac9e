#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# A fault is planted in the program, or in a module that it is told: a schedule must
# notice it.
#
#   sh noticed.sh PROGRAM ARGUMENT...
# The program says which schedule it was when it gets a signal, which a sanitizer would
# leave out.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}abort_on_error=1
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}abort_on_error=1
export ASAN_OPTIONS UBSAN_OPTIONS
told=$(timeout -s KILL 600 "$@" 2>&1)
code=$?
if [ "$code" = 0 ]; then
	echo "not noticed: $told"
	exit 1
fi
# Not a program that does not even begin.
if ! printf '%s\n' "$told" | grep '^in schedule '; then
	echo "it ended with $code before a schedule: $told"
	exit 1
fi
printf '%s\n' "$told" | grep -E '^(cluster|connection|takeover): ' || echo "by a crash"
