#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the Debian packages from this tree: strelaysrv, strelaysrv-dev,
# strelaysrv-testutil, and their debug symbols.
#
#   sh conf/debian/build.sh FOLDER    the packages end up in FOLDER
#
# VERSION is the packages' version, else that of the project. SOURCE_DATE_EPOCH is their
# date, else that of the last commit; the same date gives the same bytes. JOBS is how many
# compilers run at once.
set -eu

tree=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -eq 1 ] || {
	sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=${VERSION:-$(sed -n 's/^project(strelaysrv VERSION \([0-9.]*\).*/\1/p' "$tree/CMakeLists.txt")}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$tree" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH LC_ALL=C

source=$out/build/strelaysrv
rm -rf "$out/build"
mkdir -p "$source/tests"
for part in CMakeLists.txt LICENSE README.md CHANGELOG.md include core modules conf; do
	cp -R "$tree/$part" "$source/"
done
cp -R "$tree/tests/testutil" "$source/tests/"
cp -R "$tree/conf/debian" "$source/debian"
rm -f "$source/debian/build.sh"
cat >"$source/debian/changelog" <<END
strelaysrv ($version) unstable; urgency=medium

  * See /usr/share/doc/strelaysrv/CHANGELOG.md.

 -- strelaysrv maintainers <maintainers@strelaysrv.invalid>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END
cd "$source"
dpkg-buildpackage -b -us -uc -j"${JOBS:-$(nproc)}"
cd "$out"
mv build/*.deb build/*.changes build/*.buildinfo .
rm -rf build
