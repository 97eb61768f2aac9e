#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What the stage `packages` runs in a clean Debian: builds the packages, and installs,
# upgrades, removes and purges them, with the Go relay's package installed first. root.sh
# starts it. There systemd is not process 1: the maintainer scripts find the server as
# signal-running does without it.
set -eu
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=tests/roots/session.sh
. "${0%/*}/session.sh"
built=/srv/shared
keys=/var/lib/syncthing/relaysrv
settings=/etc/default/syncthing-relaysrv
port=22167
export SOURCE_DATE_EPOCH=1764000000

# build VERSION FOLDER
build() {
	VERSION=$1 quietly sh conf/debian/build.sh "$2"
	! grep 'warning: [^/]*\.[ch]:' "$log" || fail "the build warns"
}

package() {
	echo "$built/$1/$2_$1_$(dpkg --print-architecture).deb"
}

id_of_relay() {
	sha256sum "$keys/cert.pem" "$keys/key.pem"
}

# The same files under a higher version: what differs for an upgrade is the file, not what
# is in it, and a third build would take minutes.
next_version() {
	mkdir -p $built/0.1.1
	for file in "$built"/0.1.0/strelaysrv_*.deb "$built"/0.1.0/strelaysrv-testutil_*.deb; do
		rm -rf /var/tmp/next
		quietly dpkg-deb -R "$file" /var/tmp/next
		sed -i 's/^Version: .*/Version: 0.1.1/' /var/tmp/next/DEBIAN/control
		quietly dpkg-deb --root-owner-group -b /var/tmp/next $built/0.1.1
	done
}

build_all() {
	echo "-- packages, twice from two folders"
	# shellcheck disable=SC2046
	get_packages sh conf/install-packages.sh $(cat conf/build-packages) build-essential debhelper \
		lintian
	for name in $(grep -Evx 'gcc|libc6-dev|make' conf/build-packages); do
		grep -Eq "^(Build-Depends:)? $name( |,|\$)" conf/debian/control ||
			fail "Build-Depends lacks $name"
	done
	build 0.1.0 $built/0.1.0
	build 0.1.0 /var/tmp/elsewhere
	for file in "$built"/0.1.0/*.deb; do
		cmp "$file" "/var/tmp/elsewhere/${file##*/}" >"$log" 2>&1 ||
			fail "${file##*/} is not reproducible"
	done
	next_version
	quietly lintian --fail-on error --allow-root $built/0.1.0/*.changes
	cat "$log"
	for name in strelaysrv strelaysrv-dbgsym strelaysrv-dev strelaysrv-testutil; do
		[ -e "$(package 0.1.0 $name)" ] || fail "there is no package $name"
	done
}

check_contents() {
	echo "-- contents"
	{
		dpkg -c "$(package 0.1.0 strelaysrv)"
		dpkg -c "$(package 0.1.0 strelaysrv-dev)"
	} | awk '{ print substr($6, 2) }' >"$log"
	for path in /usr/bin/strelaysrv /usr/bin/syncthing-relaysrv \
		/etc/strelaysrv/strelaysrv.conf /etc/logrotate.d/strelaysrv \
		/etc/ufw/applications.d/strelaysrv /usr/lib/sysusers.d/strelaysrv.conf \
		/lib/systemd/system/strelaysrv.service /usr/share/man/man1/strelaysrv.1.gz \
		/usr/share/zsh/vendor-completions/_strelaysrv \
		/usr/share/bash-completion/completions/strelaysrv \
		/usr/share/bash-completion/completions/syncthing-relaysrv \
		/usr/share/doc/strelaysrv/modules/README.md.gz \
		/usr/include/strelaysrv/module.h /usr/include/strelaysrv/client.h \
		'/usr/lib/[^/]*/pkgconfig/strelaysrv.pc' '/usr/lib/[^/]*/strelaysrv/relay.so'; do
		grep -qx "$path" "$log" || fail "$path is in no package"
	done
	dpkg -I "$(package 0.1.0 strelaysrv)" >"$log"
	for field in Provides Conflicts Replaces; do
		grep -q "^ $field: syncthing-relaysrv" "$log" || fail "$field"
	done
	# It is loaded only when a pool is joined, so that nothing links it.
	grep -q '^ Depends: .*libcurl4' "$log" || fail "without libcurl it joins no pool"
	# Only the package's own part of the script restarts a server.
	dpkg -I "$(package 0.1.0 strelaysrv)" postinst >"$log"
	[ "$(grep -c restart "$log")" -eq "$(grep -c restart conf/debian/strelaysrv.postinst)" ] ||
		fail "an upgrade would restart the service"
}

# As somebody uses it: with a token, and its own keys.
install_go() {
	echo "-- the Go relay"
	get_packages apt-get -qq -y --no-install-recommends install syncthing-relaysrv \
		procps
	printf 'NAT=false\nSTRELAYSRV_OPTS="-token=secret -listen 127.0.0.1:%s -status-srv="\n' \
		$port >$settings
	cp $settings /root/settings
	(cd $keys && timeout 5 strelaysrv -pools= -listen 127.0.0.1:$port -status-srv= \
		>/dev/null 2>&1) || true
	chown -R syncthing:syncthing $keys
	[ -s $keys/key.pem ] || fail "the Go relay has made no keys"
	id_of_relay >/root/id
}

check_kept() {
	id_of_relay | cmp -s - /root/id || fail "$1: the keys have changed"
	cmp -s $settings /root/settings || fail "$1: the settings have changed"
}

# The command of the installed unit, as systemd would run it.
start_service() {
	command=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/strelaysrv.service)
	# shellcheck disable=SC2016
	printf '#!/bin/sh\ncd %s\nset -a\n. %s\nexec %s\n' $keys $settings \
		"$(echo "$command" | sed 's/\${\(.*\)}/$\1/')" >/root/start
	su -s /bin/sh syncthing -c "exec setsid sh" </root/start >/tmp/relay.log 2>&1 &
	await 20 "the installed server starts: $(cat /tmp/relay.log)" \
		grep -q 'ready, with modules' /tmp/relay.log
	relay=$(pgrep -x -o strelaysrv)
	uri=$(sed -n 's/.*URI: \(relay:.*\)/\1/p' /tmp/relay.log | tail -n 1)
}

installs_over_the_go_relay() {
	echo "-- installed over the Go relay"
	echo '# made by hand' >/root/by-hand
	get_packages apt-get -qq -y --no-install-recommends install \
		"$(package 0.1.0 strelaysrv)" "$(package 0.1.0 strelaysrv-testutil)"
	[ "$(dpkg-query -W -f '${db:Status-Status}' syncthing-relaysrv)" = config-files ] ||
		fail "the Go relay's package is still installed"
	check_kept "after the installation"
	quietly syncthing-relaysrv -version
	[ "$(stat -c %U $keys)" = syncthing ] || fail "the owner of $keys"
	check_links strelaysrv.service syncthing-relaysrv.service
	start_service
	grep -q 'a token is set' /tmp/relay.log || fail "the token is not in force"
}

# As the template's own page says it, with what the package has.
builds_a_module() {
	echo "-- a module is built with strelaysrv-dev"
	get_packages apt-get -qq -y --no-install-recommends install cmake gcc libc6-dev make \
		"$(package 0.1.0 strelaysrv-dev)"
	rm -rf /var/tmp/template
	cp -R /usr/share/doc/strelaysrv-dev/examples/module-template /var/tmp/template
	cd /var/tmp/template
	quietly cmake -B build
	quietly cmake --build build
	quietly strelaysrv -conf my-module.conf -module-dir "build,$(dirname /usr/lib/*/strelaysrv/relay.so)" -modules
	grep -q '^my-module 0.1, API [^,]*, enabled: ' "$log" || fail "the module is not found"
	cd "$OLDPWD"
	quietly apt-get -qq -y remove strelaysrv-dev
}

# check_links UNIT ALIAS: that unit is enabled, and no link hides it.
check_links() {
	for link in "$2" "multi-user.target.wants/$1"; do
		[ "$(readlink "/etc/systemd/system/$link")" = "/lib/systemd/system/$1" ] ||
			fail "$link: $(ls -l /etc/systemd/system)"
	done
	[ ! -e "/etc/systemd/system/$1" ] && [ ! -L "/etc/systemd/system/$1" ] ||
		fail "a link hides $1"
}

upgrades_without_ending_a_session() {
	echo "-- an upgrade ends no session"
	begin_session
	before=$(wc -l </tmp/b/got)
	quietly apt-get -qq -y --no-install-recommends install "$(package 0.1.1 strelaysrv)" \
		"$(package 0.1.1 strelaysrv-testutil)"
	await 20 "the server has upgraded itself: $(cat /tmp/relay.log)" \
		grep -q 'serves; this one' /tmp/relay.log
	! grep -q 'could not upgrade' "$log" || fail "the package's upgrade"
	now=$(wc -l </tmp/b/got)
	[ "$now" -gt "$before" ] || fail "the session stands still: $before lines, now $now"
	kill -0 "$relay" || fail "the old process has left its session"
	[ "$(pgrep -x -c strelaysrv)" -eq 2 ] || fail "two processes run"
	new=$(pgrep -x -n strelaysrv)
	[ "/proc/$new/exe" -ef /usr/bin/strelaysrv ] || fail "the new one has the old file"
	end_session
	await 20 "the old process ends" test ! -d "/proc/$relay"
	check_kept "after the upgrade"
	echo "   $before lines before it, $(wc -l </tmp/b/got) in all, in order"
}

tells_that_an_upgrade_failed() {
	echo "-- a server that cannot upgrade itself"
	mv $keys/key.pem $keys/key.away
	quietly dpkg -i "$(package 0.1.0 strelaysrv)" "$(package 0.1.0 strelaysrv-testutil)"
	grep -q 'could not upgrade itself' "$log" || fail "nobody is told"
	mv $keys/key.away $keys/key.pem
	kill -0 "$new" || fail "the server has ended"
}

never_overwrites_a_configuration() {
	echo "-- a configuration made by hand"
	cp /root/by-hand /etc/strelaysrv/strelaysrv.conf
	quietly dpkg -i "$(package 0.1.1 strelaysrv)" "$(package 0.1.1 strelaysrv-testutil)"
	cmp -s /root/by-hand /etc/strelaysrv/strelaysrv.conf || fail "it was overwritten"
}

removes_and_purges() {
	echo "-- removed, installed again, purged"
	pkill -x strelaysrv || true
	await 20 "the servers end" sh -c '! pgrep -x strelaysrv'
	quietly apt-get -qq -y remove strelaysrv
	check_kept "after the removal"
	cmp -s /root/by-hand /etc/strelaysrv/strelaysrv.conf || fail "its configuration is gone"
	get_packages apt-get -qq -y --no-install-recommends install syncthing-relaysrv
	check_kept "after the Go relay's return"
	check_links syncthing-relaysrv.service strelaysrv.service
	quietly apt-get -qq -y --no-install-recommends install "$(package 0.1.1 strelaysrv)"
	check_links strelaysrv.service syncthing-relaysrv.service
	check_kept "after another installation"
	cmp -s /root/by-hand /etc/strelaysrv/strelaysrv.conf || fail "it was overwritten"
	quietly apt-get -qq -y purge strelaysrv
	[ ! -e $keys ] && [ ! -e /etc/strelaysrv/strelaysrv.conf ] || fail "a purge leaves files"
}

# A file that was there before the package is not the package's.
keeps_a_file_that_was_there_first() {
	echo "-- a configuration that was there first, and the layout of another package"
	mkdir -p /etc/strelaysrv /var/lib/syncthing-relaysrv
	cp /root/by-hand /etc/strelaysrv/strelaysrv.conf
	echo key >/var/lib/syncthing-relaysrv/key.pem
	dpkg -i "$(package 0.1.0 strelaysrv)" >"$log" 2>&1 </dev/null || true
	cmp -s /root/by-hand /etc/strelaysrv/strelaysrv.conf || fail "it was overwritten"
	quietly dpkg --force-confold --configure -a
	cmp -s /root/by-hand /etc/strelaysrv/strelaysrv.conf || fail "it was overwritten"
	grep -q '^WorkingDirectory=/var/lib/syncthing-relaysrv$' \
		/etc/systemd/system/strelaysrv.service.d/10-layout.conf || fail "no drop-in"
	quietly apt-get -qq -y purge strelaysrv
	[ -e /var/lib/syncthing-relaysrv/key.pem ] || fail "keys of another package are gone"
	[ ! -e /etc/systemd/system/strelaysrv.service.d ] || fail "the drop-in is left"
}

began=$(date +%s)
[ -d $built/0.1.1 ] || build_all
check_contents
install_go
installs_over_the_go_relay
builds_a_module
upgrades_without_ending_a_session
tells_that_an_upgrade_failed
never_overwrites_a_configuration
removes_and_purges
keeps_a_file_that_was_there_first
echo "-- $(($(date +%s) - began)) s"
