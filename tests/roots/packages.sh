#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What the stage `packages` runs in a clean Debian: builds the packages, and installs,
# upgrades, removes and purges them, with the Go relay's package installed first. root.sh
# starts it. There systemd is not process 1: the maintainer scripts find the server as
# signal-running does without it.
set -eu
here=$PWD
lists=$here/tests/roots/contents
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=tests/roots/session.sh
. "${0%/*}/session.sh"
built=/srv/shared
keys=/var/lib/syncthing/relaysrv
settings=/etc/default/syncthing-relaysrv
port=22167
export SOURCE_DATE_EPOCH=1764000000

# build TREE FOLDER VERSION
build() {
	began_to_build=$(date +%s)
	VERSION=$3 quietly sh "$1/conf/debian/build.sh" "$2"
	! grep 'warning: [^/]*\.[ch]:' "$log" || fail "the build warns"
	echo "   $3 in $(($(date +%s) - began_to_build)) s"
}

# The same, in one path, where the compiler's results are kept for the next version.
build_with_cache() {
	CCACHE_DIR=/var/tmp/ccache CMAKE_C_COMPILER_LAUNCHER=ccache build "$1" /var/tmp/cached "$2"
	mv /var/tmp/cached "$built/$2"
}

package() {
	echo "$built/$1/$2_$1_$(dpkg --print-architecture).deb"
}

id_of_relay() {
	sha256sum "$keys/cert.pem" "$keys/key.pem"
}

# The next version differs as versions do: in its number, by which -version, the pages of
# dpkg and the client library's file know it, and in a module. All else is compiled once,
# since two more compilations would take minutes.
change_tree() {
	rm -rf /var/tmp/next
	cp -R "$here" /var/tmp/next
	sed -i 's/^project(strelaysrv VERSION [0-9.]*/project(strelaysrv VERSION 0.1.1/' \
		/var/tmp/next/CMakeLists.txt
	sed -i 's/RELAY_MODULE_INFO("relay", "[^"]*"/RELAY_MODULE_INFO("relay", "next"/' \
		/var/tmp/next/modules/relay/relay.c
}

# It is another program, not the same one under another number.
check_difference() {
	for version in 0.1.0 0.1.1; do
		rm -rf /var/tmp/$version
		quietly dpkg-deb -x "$(package $version strelaysrv)" /var/tmp/$version
	done
	for file in bin/strelaysrv 'lib/*/strelaysrv/relay.so'; do
		# shellcheck disable=SC2086
		! cmp -s /var/tmp/0.1.0/usr/$file /var/tmp/0.1.1/usr/$file ||
			fail "the next version has the same $file"
	done
	quietly /var/tmp/0.1.1/usr/bin/strelaysrv -version
	grep -q 'v0\.1\.1 ' "$log" || fail "the next version's number"
	! /var/tmp/0.1.0/usr/bin/strelaysrv -version | grep -q 'v0\.1\.1 ' ||
		fail "both versions have one number"
}

build_all() {
	echo "-- packages, twice from two folders"
	# shellcheck disable=SC2046
	get_packages sh conf/install-packages.sh $(cat conf/build-packages) build-essential debhelper \
		lintian ccache
	for name in $(grep -Evx 'gcc|libc6-dev|make' conf/build-packages); do
		grep -Eq "^(Build-Depends:)? $name( |,|\$)" conf/debian/control ||
			fail "Build-Depends lacks $name"
	done
	build_with_cache . 0.1.0
	build . /var/tmp/elsewhere 0.1.0
	for file in "$built"/0.1.0/*.deb; do
		cmp "$file" "/var/tmp/elsewhere/${file##*/}" >"$log" 2>&1 ||
			fail "${file##*/} is not reproducible"
	done
	change_tree
	build_with_cache /var/tmp/next 0.1.1
	check_difference
	quietly lintian --fail-on error --allow-root $built/0.1.0/*.changes
	cat "$log"
	for name in strelaysrv strelaysrv-dbgsym strelaysrv-dev strelaysrv-testutil; do
		[ -e "$(package 0.1.0 $name)" ] || fail "there is no package $name"
	done
}

# Each package has the files of its list, no less and no more. ARCH stands for the names
# of this machine's libraries, VERSION for the client library's. A release may have units
# in /lib or in /usr/lib.
check_contents() {
	echo "-- contents"
	for list in "$lists"/*; do
		dpkg -c "$(package 0.1.0 "${list##*/}")" | awk '!/^d/ { print substr($6, 2) }' |
			sed -e "s|/usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)/|/usr/lib/ARCH/|" \
				-e 's|^/lib/|/usr/lib/|' -e 's/\(relayclient\.so\)\.[0-9]*\.[0-9.]*$/\1.VERSION/' |
			LC_ALL=C sort >/tmp/contents
		diff "$list" /tmp/contents >"$log" || fail "${list##*/} has not what its list says"
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

# Of pages, wherever a package has put them.
check_links_of_pages() {
	rm -rf /var/tmp/pages
	for list in "$lists"/*; do
		quietly dpkg-deb -x "$(package 0.1.0 "${list##*/}")" /var/tmp/pages
	done
	find /var/tmp/pages/usr/share/doc -name '*.md' >/tmp/pages
	grep -q /MIGRATION.md /tmp/pages || fail "no page is there"
	while read -r page; do
		awk '/^```/ { code = !code } !code' "$page" | grep -oE '\]\([^):# ]+[)#]' |
			sed 's/^](//; s/.$//' | while read -r target; do
			[ -e "${page%/*}/$target" ] || echo "$page: $target"
		done
	done </tmp/pages >"$log"
	[ ! -s "$log" ] || fail "links that lead nowhere"
}

# ufw reads no file that it holds for wrong.
check_firewall_profile() {
	echo "-- the profile for ufw"
	get_packages apt-get -qq -y --no-install-recommends install ufw
	quietly ufw app info strelaysrv
	grep -q '^Title: Syncthing relay server$' "$log" || fail "ufw knows no title"
	grep -q '^ *22067,22070/tcp$' "$log" || fail "ufw knows other ports"
	quietly ufw --dry-run allow strelaysrv
	grep -q -e '-p tcp .*--dports 22067,22070 -j ACCEPT' "$log" || fail "the rule of ufw"
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
		[ "$(readlink "/etc/systemd/system/$link" | sed 's|^/usr||')" = "/lib/systemd/system/$1" ] ||
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
	! cmp -s "/proc/$relay/exe" "/proc/$new/exe" || fail "both have the same program"
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
	# The Go relay has returned, and uses them.
	quietly apt-get -qq -y --no-install-recommends install syncthing-relaysrv
	quietly apt-get -qq -y purge strelaysrv
	grep -q "$keys is kept" "$log" || fail "nobody is told that the keys are kept"
	check_kept "after a purge beside the Go relay"
	check_links syncthing-relaysrv.service strelaysrv.service
	quietly apt-get -qq -y --no-install-recommends install "$(package 0.1.1 strelaysrv)"
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
check_links_of_pages
install_go
installs_over_the_go_relay
check_firewall_profile
builds_a_module
upgrades_without_ending_a_session
tells_that_an_upgrade_failed
never_overwrites_a_configuration
removes_and_purges
keeps_a_file_that_was_there_first
quietly apt-get -qq -y --no-install-recommends install "$(package 0.1.0 strelaysrv)"
sh tests/roots/openrc.sh
echo "-- $(($(date +%s) - began)) s"
