# SPDX-License-Identifier: MPL-2.0
# Read by the scripts of this folder: installs $packages and what a build needs, and
# builds $root into $build.

# shellcheck disable=SC2046,SC2086
sh "$root/conf/install-packages.sh" $(cat "$root/conf/build-packages") \
	libcmocka-dev python3 $packages
{
	cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release \
		-DBUILD_TESTING=ON &&
		cmake --build "$build" -j "$(nproc)"
} >"$build.log" 2>&1 || {
	cat "$build.log" >&2
	exit 1
}
mv "$build.log" "$build/build.log"
