#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds the container image of conf/container with buildah, and runs it: the contract of
# the official image, with as few rights as a container may have.
#
#   sh tests/container.sh [12|13]
#
# The base is a clean Debian (roots/root.sh). The exit code is 77, with a reason, where
# there can be none, or no buildah. It needs root, and apt's mirror.
#
# The braces make the shell read all of this before it runs.
{
set -eu

tree=$(cd "$(dirname "$0")/.." && pwd)
cache=${DEBIAN_ROOTS:-$tree/build-roots}
release=${1:-12}
case $release in
12) suite=bookworm ;;
13) suite=trixie ;;
*) suite=$release ;;
esac

skip() {
	echo "== NOT RUN: the container image: $*" >&2
	exit 77
}

fail() {
	[ ! -e "$work/log" ] || cat "$work/log" >&2
	echo "FAILED: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || skip "needs root"
command -v buildah >/dev/null || skip "needs buildah"
unshare --mount --pid --fork --net true 2>/dev/null || skip "cannot make namespaces"
home=$cache/$suite-$(dpkg --print-architecture)
# It waits for other runs in that root, which may take an hour.
[ -d "$home/clean" ] || sh "$tree/tests/roots/root.sh" "$release" true ||
	skip "there is no clean Debian"

# Mounts and processes end with the script, also if it is killed.
if [ -z "${CONTAINER_TEST:-}" ]; then
	CONTAINER_TEST=1 exec unshare --mount --propagation private --pid --fork \
		--kill-child --mount-proc sh "$0" "$@"
fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/container.XXXXXX")
# A mount must not be emptied.
trap 'umount -R -l "$work" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
mount --bind "$work" "$work"

# Everything of this run is in its own folder.
b() {
	buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

build() {
	base=$(b from scratch)
	b add --quiet "$base" "$home/clean" / >"$work/log"
	b commit --quiet --rm "$base" base >"$work/log"
	mkdir "$work/source"
	git -C "$tree" archive HEAD | tar -x -C "$work/source"
	# A copy, because apt locks the folder, and other runs need it meanwhile.
	cp -al "$home/archives" "$work/archives" 2>/dev/null ||
		cp -a "$home/archives" "$work/archives"
	rm -f "$work/archives/lock"
	b bud --isolation chroot --format docker --layers=false --build-arg BASE=localhost/base \
		--ignorefile "$work/source/conf/container/Dockerfile.dockerignore" \
		-v "$work/archives:/var/cache/apt/archives" \
		-f "$work/source/conf/container/Dockerfile" -t image "$work/source" \
		>"$work/log" 2>&1 || fail "the image cannot be built"
	! grep 'warning:' "$work/log" || fail "the build warns"
	container=$(b from localhost/image)
	root=$(b mount "$container")
}

# What the image tells an engine.
check_contract() {
	b inspect --type image localhost/image >"$work/image.json"
	/usr/bin/python3 - "$work/image.json" <<'END' || fail "the contract of the image"
import json, sys
docker = json.load(open(sys.argv[1]))["Docker"]["config"]
assert docker["Entrypoint"] == ["/usr/bin/strelaysrv-container", "/usr/bin/strelaysrv"], docker
assert set(docker["ExposedPorts"]) == {"22067/tcp", "22070/tcp"}, docker
assert set(docker["Volumes"]) == {"/var/strelaysrv"} and docker["WorkingDir"] == "/var/strelaysrv"
assert {"PUID=1000", "PGID=1000", "HOME=/var/strelaysrv",
        "RUNTIME_DIRECTORY=/var/strelaysrv"} <= set(docker["Env"])
assert docker["Healthcheck"]["Test"] == ["CMD", "/usr/bin/strelaysrv-container", "-health"]
assert docker.get("User", "") == "" and not docker.get("Cmd")
END
	for path in src image build packages usr/include; do
		[ ! -e "$root/$path" ] || [ -z "$(ls "$root/$path")" ] ||
			fail "/$path is left in the image"
	done
	for library in libcurl.so.4 libseccomp.so.2; do
		[ -n "$(find "$root/usr/lib" -name $library)" ] || fail "the image lacks $library"
	done
	[ "$(stat -c %u:%g:%a "$root/var/strelaysrv")" = 1000:0:775 ] ||
		fail "the folder of the volume"
}

# contain "NAME=VALUE..." "SETPRIV OPTION..." FLAG...: starts a container with a network
# of its own, a root that is read-only, and a volume like the folder of the image.
contain() {
	environment=$1 rights=$2
	shift 2
	rm -rf "$work/volume"
	install -d -o 1000 -g 0 -m 775 "$work/volume"
	# shellcheck disable=SC2086,SC2016
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PUID=1000 PGID=1000 HOME=/var/strelaysrv \
		RUNTIME_DIRECTORY=/var/strelaysrv $environment unshare --mount --pid --fork --net --kill-child sh -euc '
		root=$1 volume=$2 rights=$3
		shift 3
		ip link set lo up
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --bind "$volume" "$root/var/strelaysrv"
		mount -o remount,bind,ro "$root"
		exec chroot "$root" sh -c "cd /var/strelaysrv; exec \"\$@\"" sh setpriv $rights \
			/usr/bin/strelaysrv-container /usr/bin/strelaysrv -pools= "$@"' \
		sh "$root" "$work/volume" "$rights" "$@" >"$work/log" 2>&1 &
	outer=$!
	wait_for 'URI: relay://'
	first=$(cat "/proc/$outer/task/$outer/children")
	first=${first% }
}

wait_for() {
	tries=600
	until grep -q "$1" "$work/log"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] && kill -0 "$outer" 2>/dev/null || fail "no line $1"
		sleep 0.1
	done
}

# inside COMMAND...: as an engine executes a command in a running container.
inside() {
	RUNTIME_DIRECTORY=/var/strelaysrv nsenter -t "$first" -m -p -n -r -w "$@"
}

healthy() {
	inside /usr/bin/strelaysrv-container -health >"$work/health" 2>&1 ||
		fail "$(cat "$work/health")"
	inside /usr/bin/strelaysrv -ctl status >"$work/status" 2>&1 && grep -q serves "$work/status" ||
		fail "-ctl status: $(cat "$work/status")"
}

relays() {
	nsenter -t "$first" -n /usr/bin/python3 "$tree/tests/integration/tools/one_session.py" \
		127.0.0.1:22067 >"$work/session" 2>&1 || fail "$(cat "$work/session")"
}

end() {
	kill "$first"
	wait "$outer" || fail "the container ended with $?"
}

owner() {
	[ "$(stat -c %u:%g "$work/volume/key.pem")" = "$1" ] || fail "the owner of the key: $2"
}

p() {
	podman --root "$work/storage" --runroot "$work/run" --tmpdir "$work/tmp" \
		--storage-driver vfs --cgroup-manager cgroupfs --runtime runc --log-level error "$@"
}

# said PATTERN: the container in podman says it.
said() {
	tries=600
	until p logs relay >"$work/log" 2>&1 && grep -q "$1" "$work/log"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "no line $1"
		sleep 0.1
	done
}

in_podman() {
	rm -rf "$work/volume"
	install -d -o 1000 -g 0 -m 775 "$work/volume"
	p run --detach --name relay --network none --read-only --cap-drop all \
		--security-opt no-new-privileges --user 1000:1000 --ulimit nofile=4096:4096 \
		--ulimit nproc=4096:4096 --volume "$work/volume:/var/strelaysrv" localhost/image \
		-pools= >"$work/log" 2>&1 || fail "podman starts no container"
	said 'URI: relay://'
	first=$(p inspect --format '{{.State.Pid}}' relay)
	grep -q '^Seccomp:.*2$' "/proc/$first/status" || fail "no filter of podman's"
	grep -q '^CapEff:.*[1-9a-f]' "/proc/$first/status" && fail "it has capabilities"
	p exec relay /usr/bin/strelaysrv-container -health >"$work/log" 2>&1 || fail "-health"
	relays
	p kill --signal USR2 relay >"$work/log"
	said 'the old process has ended'
	p exec relay /usr/bin/strelaysrv -ctl status >"$work/log" 2>&1 || fail "-ctl status"
	relays
	p stop --time 60 relay >"$work/log"
	[ "$(p inspect --format '{{.State.ExitCode}}' relay)" = 0 ] || fail "it did not end well"
	p rm relay >"$work/log"
}

build
check_contract

echo "-- started by root: it becomes PUID, and is upgraded"
contain "PUID=1234 PGID=5678 UMASK=027" ""
owner 1234:5678 "PUID"
healthy
relays
kill -USR2 "$first"
wait_for 'serves; this one'
wait_for 'the old process has ended'
healthy
relays
end

echo "-- PCAP: a port below 1024"
contain "PCAP=cap_net_bind_service=+ep" "" -listen :443 -status-srv :80
wait_for 'listening on .*:443'
healthy
end

none="--bounding-set=-all --inh-caps=-all --no-new-privs --clear-groups"
echo "-- a user, without capabilities"
contain "" "$none --reuid=1000 --regid=1000"
owner 1000:1000 "--user 1000:1000"
healthy
relays
end

echo "-- any user with group 0"
contain "" "$none --reuid=1000650000 --regid=0"
owner 1000650000:0 "any user with group 0"
healthy
end

echo "-- without a status address, a health check connects"
contain "" "$none --reuid=1000 --regid=1000" -status-srv=
healthy
grep -q 'accepts connections' "$work/health" || fail "$(cat "$work/health")"
end
echo "-- in podman: its profile of system calls, a read-only root, no capabilities"
if command -v podman >/dev/null && command -v runc >/dev/null; then
	in_podman
else
	echo "== NOT RUN: the image in podman: needs the packages podman and runc" >&2
fi
echo "-- the image $(du -shx "$root" | cut -f1), of which the base $(du -shx "$home/clean" | cut -f1)"
exit
}
