#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Installs those of the named Debian packages that are missing; asks for nothing
# and touches no network when none is.
#
#   sh conf/install-packages.sh PACKAGE...
set -eu

missing=""
for package in "$@"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null ||
		true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	sudo=""
elif command -v sudo >/dev/null; then
	sudo="sudo"
else
	echo "These packages are missing, and neither are you root nor is there" \
		"sudo to install them:$missing" >&2
	exit 1
fi

echo "Installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# Two runs at once, or a machine's own updates: wait for each other.
lock="-o DPkg::Lock::Timeout=300"
# The list of packages may be old or empty, so that it finds nothing.
$sudo apt-get $lock -qq update >&2
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get $lock -qq -y --no-install-recommends install $missing >&2
