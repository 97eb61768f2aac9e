#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Compiles the server, its modules, and testutil with musl's headers, with warnings as
# errors: what another C library lacks is an undeclared function or constant then.
# Nothing is linked, because Debian has no libraries that were built with musl.
#
#   sh tests/musl.sh FOLDER
set -eu

tree=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
triplet=$(gcc -print-multiarch)
machine=/usr/include/$triplet

# Headers of libraries and of the kernel, in two folders without those of the C library.
# Some libraries have headers in both.
rm -rf "$folder/headers"
mkdir -p "$folder/headers/all/sys" "$folder/headers/machine/sys"
for name in asm-generic cjson confuse.h curl event2 gmp.h linux miniupnpc natpmp.h \
	natpmp_declspec.h nettle openssl seccomp.h seccomp-syscalls.h sys/queue.h uthash.h utlist.h; do
	[ ! -e "/usr/include/$name" ] ||
		ln -s "/usr/include/$name" "$folder/headers/all/$name"
	[ ! -e "$machine/$name" ] ||
		ln -s "$machine/$name" "$folder/headers/machine/$name"
done
ln -s "$machine/asm" "$folder/headers/machine/asm"

# Libraries' pkg-config files name the folders that have the C library's headers, too.
# cmake 3.31 asks for these.
PKG_CONFIG_SYSTEM_INCLUDE_PATH=/usr/include:$machine
export PKG_CONFIG_SYSTEM_INCLUDE_PATH
printf '#!/bin/sh\nunset PKG_CONFIG_ALLOW_SYSTEM_CFLAGS\nexec pkg-config "$@"\n' >"$folder/pkg-config"
chmod +x "$folder/pkg-config"
# What an earlier run learnt of the libraries is asked again.
rm -f "$folder/CMakeCache.txt"
cmake -G "Unix Makefiles" -S "$tree" -B "$folder" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_BUILD_TYPE=Debug \
	-DPKG_CONFIG_EXECUTABLE="$folder/pkg-config" \
	-DCMAKE_C_FLAGS="-isystem $folder/headers/all -isystem $folder/headers/machine" \
	-DCMAKE_LIBRARY_PATH="/usr/lib/$triplet" -DCMAKE_C_LINK_EXECUTABLE=: \
	-DCMAKE_C_CREATE_SHARED_LIBRARY=: -DCMAKE_C_CREATE_SHARED_MODULE=: \
	-DWARNINGS_ARE_ERRORS=ON -DBUILD_TESTING=OFF >"$folder/build.log" 2>&1 &&
	cmake --build "$folder" -j "$(nproc)" -- --keep-going >>"$folder/build.log" 2>&1 && exit
grep -E 'error: |warning: |Error at' "$folder/build.log" || tail -n 60 "$folder/build.log"
exit 1
