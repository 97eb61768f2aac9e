#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds for another machine in a clean Debian, with the cross compiler and that
# machine's libraries, and runs the unit tests in qemu-user, and some black-box tests of
# a server that runs there. root.sh starts it.
#
#   sh tests/roots/machine.sh arm64|armel|i386|s390x
#
# In a root that is kept (root.sh -k), a run of the same commit goes on where the last
# one was ended: the tests that have passed are not run again.
#
# armel has 32 bits, and 64-bit atomic operations in a library only; s390x is big-endian;
# i386 is for kernels that run no programs of 32 bits.
set -eu
arch=$1
place="on $arch"
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
compiler=""
case $arch in
arm64) triplet=aarch64-linux-gnu emulator=qemu-aarch64 ;;
armel) triplet=arm-linux-gnueabi emulator=qemu-arm ;;
i386) triplet=i386-linux-gnu compiler=i686-linux-gnu emulator=qemu-i386 ;;
s390x) triplet=s390x-linux-gnu emulator=qemu-s390x ;;
*)
	echo "$0: the machine '$arch' is none of arm64, armel, i386, s390x" >&2
	exit 2
	;;
esac
began=$(date +%s)

# What runs here, and what is linked for that machine.
echo "-- packages for $arch"
dpkg --add-architecture "$arch"
get_packages apt-get -qq update
# shellcheck disable=SC2046
get_packages apt-get -qq -y --no-install-recommends install cmake make pkg-config qemu-user \
	"gcc-${compiler:-$triplet}" "libcmocka-dev:$arch" \
	$(sed -n "s/-dev\$/-dev:$arch/p" conf/build-packages) \
	$(grep -Ex 'iproute2|procps|python3-.*' tests/test-packages)

# A newer one may be in /usr/local/bin.
emulator=$(command -v $emulator)

echo "-- build for $arch"
PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig
export PKG_CONFIG_LIBDIR
quietly cmake -S . -B "build-$arch" -DBUILD_TESTING=ON -DWARNINGS_ARE_ERRORS=ON \
	-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$arch" \
	-DCMAKE_C_COMPILER="${compiler:-$triplet}-gcc" \
	-DCMAKE_CROSSCOMPILING_EMULATOR="$emulator"
quietly cmake --build "build-$arch" -j "$(nproc)"
cd "build-$arch"

# not_run NAME REASON
names=""
not_run() {
	ctest -N -R "^$1\$" | grep -q 'Total Tests: 1' ||
		fail "there is no test $1 that could be left out"
	echo "-- not run: $1: $2"
	names="$names${names:+|}$1"
}
not_run unit-crash "qemu-user adds a line of its own to the report of a signal, and has \
no process_vm_readv(2)"
not_run unit-socket_memory "qemu-user has no SO_BUF_LOCK, and an old TCP_INFO"
not_run unit-launcher "qemu-user refuses clone(2) with CLONE_PARENT"
not_run unit-crypto_fork "this kernel starts no programs of $arch"
not_run unit-handover "qemu-user keeps descriptors that do not fit into the buffer"
not_run fuzz-upgrade "it does the same"
not_run bench-handshakes "it measures, for which an emulator is no place"

echo "-- unit tests on $arch"
# What ctest says of this commit is written at once, so that it is there if this is ended.
record=$PWD/passed-$(cat ../.git/HEAD).log
: >>"$record"
passed_before=$(sed -n 's/^.* Test *#[0-9]*: \([^ ]*\) \.* *Passed .*/\1|/p' "$record")
[ -z "$passed_before" ] ||
	echo "-- not run again, since they have passed: $(echo "$passed_before" | wc -l)"
passed_before=$(echo "$passed_before" | tr -d '\n')
code=0
# The emulator is slow: a test that has failed on a busy machine gets another try.
run() {
	ctest --output-on-failure -j "$(nproc)" --repeat until-pass:2 "$@" >>"$record" 2>&1 \
		</dev/null || code=$?
}
# These take as long as all others, and ctest would begin with them.
slow="unit-crypto_random|fuzz-connection"
run -E "^($passed_before$names|$slow)\$"
run -R "^($slow)\$" -E "^($passed_before$names)\$"
cat "$record" >"$log"
[ $code -eq 0 ] || fail "ctest"
grep 'tests passed' "$log"

# The server alone is of that machine: the tests and their clients run as they are.
echo "-- black-box tests on $arch"
mkdir -p emulated
ln -sfn ../modules emulated/modules
printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$PWD/strelaysrv" >emulated/strelaysrv
chmod +x emulated/strelaysrv
cd ..
tests="join_is_answered or many_devices_join or describe_one_session or both_sides_join
or megabytes or one_way_only or every_field or byte_is_counted_once or a_signal_ends_it"
case $arch,$("$emulator" -version) in
"i386,qemu-i386 version 7."*)
	echo "-- not run: reloads: after a signal, qemu-i386 7 gives a thread the thread-local" \
		"memory of another one; Debian 13 has one that does not"
	;;
*) tests="$tests or test_reload_status or clients_notice" ;;
esac
export STRELAYSRV="$PWD/build-$arch/emulated/strelaysrv" TEST_SLOWNESS=4
/usr/bin/python3 -m pytest -q --only=ours -n "$(nproc)" --timeout=1200 -o cache_dir=/tmp/pytest \
	-k "not ours-1 and ($(echo "$tests" | tr '\n' ' '))" \
	tests/integration/protocol/test_join.py \
	tests/integration/protocol/test_connect.py \
	tests/integration/sessions/test_session.py \
	tests/integration/sessions/test_transfer.py \
	tests/integration/http/test_status.py \
	tests/integration/reloads/test_reload_status.py \
	tests/integration/process/test_shutdown.py
echo "-- $(($(date +%s) - began)) s"
