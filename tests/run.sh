#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Installs what the tests need, builds, and runs every test.
#
#   sh tests/run.sh [STAGE...]     all stages, or those named
#   TURNS=all sh tests/run.sh      every test in every build, as if stages are named;
#                                  TURNS=shared also shares if they are (see
#                                  tests/integration/tools/turns.py)
#   LONG=1 sh tests/run.sh         fuzzing for an hour each (or FUZZ_SECONDS), more rounds
#   ROOTS=whole sh tests/run.sh roots    all stages in a clean Debian 12 and 13 each
#   ROOTS=i386 sh tests/run.sh roots     a selection in a Debian 12 of 32 bits
#   ROOTS=arm64 sh tests/run.sh roots    the unit tests in an emulator; also armel, s390x,
#                                  and i386-emulated
#   PACKAGES=13 sh tests/run.sh packages    in Debian 13, not 12
#   TSAN_WORKERS=4 sh tests/run.sh tsan    all its tests with four workers
#   ROOTS_SECONDS=600 sh tests/run.sh roots    a release that takes longer is left out
#
# A table at the end says what each stage did, and what was left out.
# Stages: style gcc clang protocol limits asan tsan. Each is run even if another failed;
# the exit code is that of all together. Only if named: e2e, which is a part of
# protocol; builds, never-run, coverage, mutations, openssl, roots, packages, container.
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
jobs=$(nproc)
# Debian's pytest is installed for Debian's Python only.
python=/usr/bin/python3
failed=""
skipped=""
# Eight processes read all tests: what they have compiled is kept outside the tree.
export PYTHONPYCACHEPREFIX="$root/build-python"
# What the table at the end is made from.
results=$root/build-results
seed=""
case $#,${TURNS:-${LONG:+all}} in
0, | *,shared) seed=$(git rev-parse -q --verify HEAD || date +%F) ;;
esac

# shellcheck disable=SC2046
sh conf/install-packages.sh $(cat conf/build-packages tests/test-packages) ||
	exit 1

# The tools are there; with root's rights and namespaces every test can run, and one
# that is skipped fails (tests/integration/tools/skips.py).
if [ "$(id -u)" = 0 ] && unshare -m -n ip link set lo up; then
	export TEST_COMPLETE=1
fi

# build FOLDER TYPE [CMAKE OPTION...]
build() {
	folder=$1
	type=$2
	shift 2
	mkdir -p "$folder"
	# Of make's time, a third is for its own processes. A folder that has been
	# made with another generator keeps it.
	CMAKE_GENERATOR=Ninja cmake -S . -B "$folder" \
		-DCMAKE_BUILD_TYPE="$type" -DBUILD_TESTING=ON \
		-DWARNINGS_ARE_ERRORS=ON "$@" >"$folder/build.log" 2>&1 &&
		cmake --build "$folder" -j "$jobs" >>"$folder/build.log" 2>&1 || {
		tail -n 60 "$folder/build.log"
		return 1
	}
}

# unit FOLDER [CTEST_ARGUMENT...]
unit() {
	(
		cd "$1" && shift || exit 1
		ctest --output-on-failure -j "$jobs" "$@"
		code=$?
		cp Testing/Temporary/LastTest.log "$results/$stage.ctest"
		exit "$code"
	)
}

# tests_of FOLDER PYTEST_ARGUMENT...: also writes the output to FOLDER/tests.log.
tests_of() {
	folder=$1
	shift
	# A test that hangs is ended, so that the others still run.
	{
		"$python" -m pytest -q -o cache_dir="$root/$folder/pytest" \
			--timeout=600 "$@"
		echo $? >"$folder/tests.exit"
	} | tee "$folder/tests.log"
	return "$(cat "$folder/tests.exit")"
}

# black_box FOLDER SLOWNESS PYTEST_ARGUMENT...
# If no more than five of thousands failed, which a busy machine may cause, they are
# run again alone, and the output shows both runs. If a sanitizer has reported an error
# or a server has crashed, there is no second run.
black_box() {
	tested=$1
	STRELAYSRV="$root/$1/strelaysrv" TEST_SLOWNESS=$2
	export STRELAYSRV TEST_SLOWNESS
	shift 2
	case $stage in
	protocol | asan | tsan) TEST_TURNS=${seed:+$stage:$seed} ;;
	*) TEST_TURNS="" ;;
	esac
	export TEST_TURNS
	[ -z "$TEST_TURNS" ] ||
		echo "NOT RUN in this build: tests whose turn is in another (TURNS=all runs all)"
	tests_of "$tested" -n 8 --durations=8 "$@" && return 0
	grep -Eq 'Sanitizer|runtime error:|ended (during the test|after SIGTERM) with' \
		"$tested/tests.log" && return 1
	failed_tests=$(grep -Ec '^(FAILED|ERROR) ' "$tested/tests.log")
	[ "$failed_tests" -ge 1 ] && [ "$failed_tests" -le 5 ] || return 1
	echo "== $failed_tests failed beside others: once more, alone"
	tests_of "$tested" --last-failed --last-failed-no-failures=none "$@"
}

stage_style() {
	"$python" tests/style/rooms.py &&
		"$python" tests/style/room_pages.py &&
		"$python" tests/style/module_includes.py &&
		git ls-files '*.c' '*.h' |
		xargs clang-format --dry-run -Werror &&
		cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
			--enable=warning,portability --suppress=missingInclude \
			--suppress=missingIncludeSystem \
			--suppress=readdirCalled \
			--suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE \
			--library=posix -I include -I core -I modules -j "$jobs" \
			core modules &&
		"$python" tests/style/links.py && "$python" tests/style/lengths.py
}

stage_gcc() {
	build build-gcc Release -DCMAKE_C_COMPILER=gcc && unit build-gcc &&
		"$python" tests/style/rooms.py build-gcc &&
		"$python" tests/style/state.py build-gcc &&
		sh tests/musl.sh build-musl
}

stage_clang() {
	build build-clang Release -DCMAKE_C_COMPILER=clang && unit build-clang
}

stage_protocol() {
	build build-gcc Release -DCMAKE_C_COMPILER=gcc &&
		black_box build-gcc 1 tests/integration tests/e2e
}

# Some tests of each topic that uses sockets, with hard limits that a machine may
# have: how many peers there may be, and what is kept for the server's own files,
# follows from them.
stage_limits() {
	build build-gcc Release -DCMAKE_C_COMPILER=gcc || return 1
	# Their files alone, because it takes longer to read all tests than to run these.
	files=$(grep -rl '@pytest.mark.limits' tests/integration)
	set -- 0
	for TEST_DESCRIPTORS in 256 1024; do
		export TEST_DESCRIPTORS
		# shellcheck disable=SC2086
		black_box build-gcc 1 $files -m limits --only=ours \
			-k 'not ours-1' || set -- 1
	done
	unset TEST_DESCRIPTORS
	return "$1"
}

# TLS without the server's own algorithms. It is run when it is named only.
stage_openssl() {
	TEST_CRYPTO=openssl
	export TEST_CRYPTO
	build build-gcc Release -DCMAKE_C_COMPILER=gcc &&
		black_box build-gcc 1 --only=ours -k 'not ours-1' \
			tests/integration/encryption tests/integration/protocol
	set -- $?
	unset TEST_CRYPTO
	return "$1"
}

stage_e2e() {
	build build-gcc Release -DCMAKE_C_COMPILER=gcc &&
		black_box build-gcc 1 tests/e2e
}

# The protocol stage has run everything with one worker, too.  The leak check
# itself crashes now and then at the end of a program with threads ("Tracer
# caught signal 11"), unless it leaves the libraries' thread-local memory alone.
# What good clients get beside attackers is measured without a sanitizer, under
# which the server is too slow to withstand them; test_siege.py knows that.
stage_asan() {
	ASAN_OPTIONS=intercept_tls_get_addr=0
	export ASAN_OPTIONS
	build build-asan ASan -DCMAKE_C_COMPILER=gcc && unit build-asan &&
		black_box build-asan 4 --only=ours \
			-k 'not ours-1 and not test_admission' \
			tests/integration tests/e2e
	set -- $?
	unset ASAN_OPTIONS
	return "$1"
}

# Without tests of parsers and of other programs, which share nothing between
# threads.  A second signal exits at once, so threads that run are not reported.
stage_tsan() {
	TSAN_OPTIONS=report_thread_leaks=0
	# From 3.5 on OpenSSL looks names up without a lock, by atomic operations that the
	# sanitizer does not see in a library. Elsewhere nothing is left out.
	case $(openssl version) in
	'OpenSSL 3.0.'*) ;;
	*) TSAN_OPTIONS="$TSAN_OPTIONS suppressions=$root/tests/openssl.suppressions" ;;
	esac
	export TSAN_OPTIONS
	workers=${TSAN_WORKERS:-2}
	TEST_WORKERS=$workers
	export TEST_WORKERS
	shared='everything or reload or access or bounds or quota or nat or names or pool_join'
	shared="$shared or verdict or late_answers or parked_asks or named_tokens or slow_module or leavers or parking_window"
	shared="$shared or wormhole_upgrade or pair_module or cluster or remote_service"
	shared="$shared or redis_registry or endpoint or control or bans or watching"
	alone='codec or framing or uri or testutil or client_library or tls or exporters'
	alone="$alone or cluster_page or cluster_failures or endpoint_advice or ten_thousand"
	# A child that crashes on purpose may wait for the sanitizer for ever.
	build build-tsan TSan -DCMAKE_C_COMPILER=gcc &&
		unit build-tsan -E unit-crash &&
		black_box build-tsan 6 --only=ours \
			-k "(ours-$workers or $shared) and not ($alone)" \
			tests/integration || return 1
	# What workers hand to each other, once more with four.
	[ "$workers" != 2 ] || {
		TEST_WORKERS=4
		black_box build-tsan 6 --only=ours -k 'ours-4 or everything' \
			tests/integration/sessions/test_session.py \
			tests/integration/sessions/test_soak.py \
			tests/integration/protocol/test_returning_device.py
	}
}

# Every function is run by some test. All tests once more, with counters, so it is
# run when it is named only.
stage_never_run() {
	sh tests/coverage/run.sh never-run
}

# How many lines of each room some test runs. It repeats no tests after the stage above.
stage_coverage() {
	sh tests/coverage/run.sh coverage
}

# Every type with both compilers, for their warnings. Nothing is run. It is run when it is
# named only, since the stages above build four of these ten.
stage_builds() {
	result=0
	for compiler in gcc clang; do
		for type in Debug Release ASan TSan Coverage; do
			echo "-- $compiler, $type"
			build build-types "$type" -DCMAKE_C_COMPILER="$compiler" || result=1
			rm -rf build-types
		done
	done
	return "$result"
}

# Do the tests notice faults in the code? It is run when it is named only, since it
# builds and tests some 200 changed servers; it goes on where the last run stopped.
stage_mutations() {
	"$python" tests/mutations/run.py --seconds "${MUTATION_SECONDS:-3600}" \
		--seed "${SEED:-18}" --count "${COUNT:-200}"
}

# In a clean Debian 12 and 13: a selection, or everything. It is run in CI, and when it
# is named, because it makes the roots and builds in each.
stage_roots() {
	result=0
	releases="12 13"
	limit=${ROOTS_SECONDS:-86400}
	case ${ROOTS:-} in
	i386* | arm64 | armel | s390x) releases=12 ;;
	esac
	for release in $releases; do
		echo "== Debian $release"
		case ${ROOTS:-} in
		whole) sh tests/roots/root.sh -k whole "$release" sh tests/run.sh ;;
		i386)
			sh conf/install-packages.sh arch-test &&
				sh tests/roots/root.sh -a i386 "$release" sh tests/roots/selection.sh
			;;
		arm64 | armel | s390x | i386-emulated)
			sh tests/roots/root.sh "$release" sh tests/roots/machine.sh \
				"${ROOTS%-emulated}"
			;;
		*) sh tests/roots/root.sh -t "$limit" "$release" sh tests/roots/selection.sh ;;
		esac
		code=$?
		# That one was not run is less than that the other failed.
		case $code,$result in
		0,* | 77,[!0]*) ;;
		*) result=$code ;;
		esac
	done
	return "$result"
}

# The packages are built in one root, and used in another one, which has nothing else and
# boots systemd.
stage_packages() {
	release=${PACKAGES:-12}
	packages=$(mktemp -d) || return 1
	sh tests/roots/root.sh -s "$packages" "$release" sh tests/roots/packages.sh &&
		sh tests/roots/root.sh -s "$packages" "$release" sh tests/roots/boot.sh syncthing-relaysrv \
			'/srv/shared/0.1.0/strelaysrv_*.deb' -- sh tests/roots/booted.sh
	set -- $?
	rm -rf "$packages"
	return "$1"
}

# The container image, built and run. It is run when it is named only, because it makes a
# root and builds in it.
stage_container() {
	sh conf/install-packages.sh buildah iproute2 && sh tests/container.sh
}

stage_fuzzing() {
	sh tests/fuzz/run.sh "${FUZZ_SECONDS:-3600}"
}

rm -rf "$results"
mkdir -p "$results" || exit 1
# shellcheck disable=SC2048
for stage in ${*:-style gcc clang protocol limits asan tsan} ${LONG:+fuzzing}; do
	echo "== $stage"
	begin=$(date +%s)
	{
		TEST_TALLY="$results/$stage.tally"
		export TEST_TALLY
		"stage_$(echo "$stage" | tr - _)"
		echo $? >"$results/$stage.exit"
	} 2>&1 | tee "$results/$stage.log"
	echo $(($(date +%s) - begin)) >"$results/$stage.seconds"
	case $(cat "$results/$stage.exit") in
	0) ;;
	77) skipped="$skipped $stage" ;;
	*) failed="$failed $stage" ;;
	esac
	echo "== $stage took $(cat "$results/$stage.seconds") s"
done

# shellcheck disable=SC2086
"$python" tests/closing_table.py "$results" ${*:+named} || failed="$failed closing-table"
[ -z "$skipped" ] || echo "NOT RUN, for the reason above:$skipped"
if [ -n "$failed" ]; then
	echo "FAILED:$failed"
	exit 1
fi
echo "All${skipped:+ other} stages passed."
