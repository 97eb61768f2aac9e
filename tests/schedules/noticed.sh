#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# A fault is planted in the program, or in a module that it is told: a schedule must
# notice it.
#
#   sh noticed.sh PROGRAM ARGUMENT...
told=$("$@" 2>&1)
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
printf '%s\n' "$told" | grep '^connection: ' || echo "by a crash"
