#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs a command in a clean Debian, in a clone of this tree's last commit.
#
#   sh tests/roots/root.sh [-a ARCH] [-k NAME] [-s FOLDER] [-t SECONDS]
#                          SUITE COMMAND [ARGUMENT...]
#
#   SUITE    12 or bookworm, 13 or trixie
#   -a ARCH  Debian's name of an architecture that this machine runs: amd64, i386
#   -k NAME  keeps the root, with what was installed and built there, for the next run
#            that gives this name; otherwise a run leaves nothing there
#   -s FOLDER  this folder is /srv/shared in the root
#   -t SECONDS  ends all after this time, which counts as not run
#
# The clean root and the downloaded packages are kept in build-roots (or the folder
# DEBIAN_ROOTS) and are used again, without a network, too. The mirror is the one that
# apt uses on this machine, or DEBIAN_MIRROR. The command sees processes and mounts of
# its own, which end with it, and the machine's network and control groups. Runs of one
# release wait for each other.
#
# The exit code is the command's, or 77 with a reason if there can be no root here.
#
# The braces make the shell read all of this before it runs: were the file changed
# meanwhile, it would go on in the middle of something else, as root.
{
set -eu

tree=$(cd "$(dirname "$0")/../.." && pwd)
cache=${DEBIAN_ROOTS:-$tree/build-roots}
marker=etc/strelaysrv-test-root
inner=/srv/strelaysrv
space_needed=5000000 # KiB

skip() {
	echo "== NOT RUN in a clean Debian: $*" >&2
	exit 77
}

arch=""
name=""
shared=""
limit=86400
while getopts a:k:s:t: option; do
	case $option in
	a) arch=$OPTARG ;;
	k) name=$OPTARG ;;
	s) shared=$(cd "$OPTARG" && pwd) ;;
	t) limit=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || {
	sed -n '3,23s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
case $1 in
12) suite=bookworm ;;
13) suite=trixie ;;
*) suite=$1 ;;
esac
shift

[ ! -e "/$marker" ] || skip "this is already such a root"
[ "$(id -u)" = 0 ] || skip "needs root"
unshare --mount --pid --fork true 2>/dev/null ||
	skip "cannot make namespaces"
git -C "$tree" rev-parse -q --verify HEAD >/dev/null ||
	skip "the tree is no clone of a Git repository"
arch=${arch:-$(dpkg --print-architecture)}
home=$cache/$suite-$arch
clean=$home/clean
mkdir -p "$home/archives/partial" "$home/lists/partial" "$home/kept"
# A container may have namespaces and yet not allow these mounts.
unshare --mount --pid --fork --mount-proc sh -euc '
mount --bind "$1" "$1"
mount -t sysfs sysfs "$1"
mount -t tmpfs tmpfs "$1"' sh "$home" 2>/dev/null ||
	skip "cannot mount file systems"
[ "$(df -Pk "$home" | awk 'NR == 2 { print $4 }')" -ge "$space_needed" ] ||
	skip "there is less than $((space_needed / 1000000)) GB left in $home"
[ -z "$(git -C "$tree" status --porcelain -uno)" ] ||
	echo "== Changes that are not committed are not tested." >&2

# What is left of the time, in seconds.
ends=$(($(date +%s) + limit))
left() {
	now=$(date +%s)
	echo $((now < ends ? ends - now : 1))
}

too_slow() {
	skip "it was not done after $limit s"
}

# apt's mirror of the release that this machine runs.
mirror_of_apt() {
	# shellcheck disable=SC1091,SC2016
	(. /etc/os-release && apt-get indextargets --format '$(RELEASE) $(REPO_URI)' |
		awk -v name="${VERSION_CODENAME:-}" '$1 == name { print $2; exit }')
}

# in_namespaces COMMAND...: with mounts and processes of its own. Both end when this
# script does.
in_namespaces() {
	unshare --mount --pid --fork --kill-child --mount-proc "$@" &
	child=$!
	trap 'kill -KILL $child; wait $child; exit 1' INT TERM HUP
	set -- 0
	wait $child || set -- $?
	trap - INT TERM HUP
	return "$1"
}

bootstrap() {
	maker=$(command -v mmdebstrap || command -v debootstrap) ||
		skip "needs mmdebstrap or debootstrap"
	mirror=${DEBIAN_MIRROR:-$(mirror_of_apt)}
	mirror=${mirror%/}
	[ -n "$mirror" ] || skip "apt knows no mirror of Debian; set DEBIAN_MIRROR"
	rm -f "$home/InRelease"
	/usr/lib/apt/apt-helper -o Acquire::http::Timeout=20 -o Acquire::Retries=1 \
		download-file "$mirror/dists/$suite/InRelease" "$home/InRelease" \
		>/dev/null 2>&1 || skip "the mirror $mirror does not answer"
	rm -rf --one-file-system "$clean.part"
	echo "== Making a clean Debian ($suite, $arch)" >&2
	case $maker in
	*mmdebstrap)
		[ "$arch" = "$(dpkg --print-architecture)" ] ||
			command -v arch-test >/dev/null ||
			skip "mmdebstrap needs arch-test to make one of $arch"
		set -- --quiet --architectures="$arch" --dpkgopt=force-unsafe-io
		;;
	*) set -- --arch="$arch" ;;
	esac
	seconds=$(left)
	[ "$seconds" -lt 900 ] || seconds=900
	in_namespaces timeout "$seconds" env LC_ALL=C "$maker" "$@" --variant=minbase \
		--include=ca-certificates "$suite" "$clean.part" "$mirror" \
		>"$home/bootstrap.log" 2>&1 || {
		code=$?
		cat "$home/bootstrap.log" >&2
		[ $code -ne 124 ] || skip "it was not made after $seconds s"
		if grep -Eq \
			"Failed to fetch|Couldn't download|Failed getting release" \
			"$home/bootstrap.log"; then
			skip "the mirror $mirror does not deliver"
		fi
		! grep -q 'neither be executed natively' "$home/bootstrap.log" ||
			skip "the kernel runs no programs of $arch"
		! grep -q 'Operation not permitted' "$home/bootstrap.log" ||
			skip "this machine does not allow what $maker needs"
		exit 1
	}
	settle "$clean.part"
	mv "$clean.part" "$clean"
}

# What an installed machine has, and what makes installing packages fast.
settle() {
	: >"$1/$marker"
	[ -e "$1/etc/hosts" ] ||
		printf '127.0.0.1 localhost\n::1 localhost\n' >"$1/etc/hosts"
	echo 'APT::Sandbox::User "root";' >"$1/etc/apt/apt.conf.d/90tests"
	echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/tests"
	# No package starts its service.
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod +x "$1/usr/sbin/policy-rc.d"
}

# Files that did not change keep their times, so that little is built again.
take_tree() {
	mkdir -p "$1"
	[ -d "$1/.git" ] || git init -q "$1"
	git -C "$1" fetch -q --depth 1 "file://$tree" HEAD
	git -C "$1" -c advice.detachedHead=false checkout -q --force --detach \
		FETCH_HEAD
}

# One run at a time, because apt locks the folder of packages.
exec 8>"$home/lock"
flock -w "$(left)" 8 || too_slow
[ -d "$clean" ] || bootstrap
if [ -n "$name" ]; then
	root=$home/kept/$name
	if [ ! -d "$root" ]; then
		rm -rf --one-file-system "$root.part"
		cp -a "$clean" "$root.part"
		mv "$root.part" "$root"
	fi
else
	root=$home/run
	rm -rf --one-file-system "$root"
	trap 'rm -rf --one-file-system "$root"' EXIT
	cp -a "$clean" "$root"
fi
take_tree "$root$inner"
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true

machine=$(uname -m)
[ "$arch" != i386 ] || machine=i386
# shellcheck disable=SC2016
set -- setarch "$machine" sh -euc '
root=$1 home=$2 inner=$3 shared=$4
shift 4
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
[ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs dev/shm
mount --bind "$home/archives" var/cache/apt/archives
mount --bind "$home/lists" var/lib/apt/lists
if [ -n "$shared" ]; then
	mkdir -p srv/shared
	mount --bind "$shared" srv/shared
fi
# Not chroot, in which some tests could not make namespaces of their own.
pivot_root . .
umount -l .
cd "$inner"
exec env -i HOME=/root LANG=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	${http_proxy:+http_proxy="$http_proxy"} \
	${https_proxy:+https_proxy="$https_proxy"} "$@"
' sh "$root" "$home" "$inner" "$shared" "$@"
# The first process reaps orphans, which timeout(1) would not.
set -- sh -c '"$@"; exit $?' sh timeout -k 10 "$(left)" "$@"
code=0
in_namespaces "$@" || code=$?
# 137: it did not end when it was asked to.
case $code,$(left) in
124,1 | 137,1) too_slow ;;
esac
exit "$code"
}
