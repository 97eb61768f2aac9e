#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Installs the named Debian packages that are missing, without questions. If none is
# missing, it uses no network.
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
# Wait for another run of apt, such as the machine's automatic updates.
lock="-o DPkg::Lock::Timeout=300"
# Update the package lists first: they may be old or empty.
$sudo apt-get $lock -qq update >&2
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get $lock -qq -y --no-install-recommends install $missing >&2
