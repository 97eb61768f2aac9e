#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The script for OpenRC under the real openrc-run, in a clean Debian (root.sh) in which the
# server and testutil are installed: with the settings, the user and both folders of Gentoo's package of
# the Go relay.
set -eu
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
service=/etc/init.d/strelaysrv
settings=/etc/conf.d/strelaysrv
pid_file=/run/syncthing-relaysrv.pid
relay_log=/var/log/syncthing/relaysrv.log
options="-pools= -status-srv= -listen 127.0.0.1:22267"

install_openrc() {
	get_packages apt-get -qq -y --no-install-recommends install openrc procps
	# As if a machine had booted with it; and what Gentoo's own script of the network says.
	for state in starting started stopping inactive wasinactive failed exclusive daemons options; do
		mkdir -p /run/openrc/$state
	done
	mkdir -p /etc/conf.d
	: >/run/openrc/softlevel
	printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { :; }\n' >/etc/init.d/net.lo
	cp /usr/share/doc/strelaysrv/examples/strelaysrv.openrc $service
	chmod 755 $service /etc/init.d/net.lo
	useradd -r -g syncthing strelaysrv
	rm -rf /var/lib/strelaysrv /var/lib/syncthing-relaysrv
	quietly strelaysrv-testutil -gen-keys -keys /tmp/device
}

# begin OPTIONS: with them in the settings.
begin() {
	printf 'SR_OPTS="%s"\n' "$1" >$settings
	rm -f $relay_log
	quietly rc-service strelaysrv start
	await 20 "it serves: $1" grep -q 'ready, with modules' $relay_log
	pid=$(cat $pid_file)
	[ "/proc/$pid/exe" -ef /usr/bin/strelaysrv ] || fail "$pid_file has another process"
	uri=$(sed -n 's/.*URI: \(relay:.*\)/\1/p' $relay_log)
}

# What SR_HOMEDIR is, where nothing is set: in FOLDER, by the keys that are in its like.
has_folder() {
	[ "$(readlink "/proc/$pid/cwd")" = "/var/lib/$1" ] ||
		fail "it runs in $(readlink "/proc/$pid/cwd"), not in $1"
	[ "$(stat -c %U:%a "/var/lib/$1" "/var/lib/$1/key.pem" | tr '\n' ' ')" = \
		"strelaysrv:700 strelaysrv:600 " ] || fail "$(ls -la "/var/lib/$1")"
}

ends() {
	quietly rc-service strelaysrv stop
	[ ! -e "/proc/$pid" ] || fail "it runs after a stop"
	[ ! -e $pid_file ] || fail "$pid_file is left"
	! rc-service strelaysrv status >"$log" 2>&1 || fail "its state after a stop"
}

takes_the_options() {
	echo "-- OpenRC: SR_OPTS, user, folder"
	begin "-token=secret -provided-by='my relay' $options"
	has_folder syncthing-relaysrv
	echo "$uri" | grep -q 'providedBy=my+relay' || fail "words in quotes: $uri"
	[ "$(ps -o user:20=,group:20= -p "$pid" | tr -s ' ')" = "strelaysrv syncthing" ] ||
		fail "the user: $(ps -o user:20=,group:20= -p "$pid")"
	! strelaysrv-testutil -test -keys /tmp/device -relay "$uri" >"$log" 2>&1 ||
		fail "no token is asked for"
	quietly strelaysrv-testutil -test -keys /tmp/device -relay "$uri" -token secret
	quietly strelaysrv -ctl status
	quietly rc-service strelaysrv status
	grep -q started "$log" || fail "its state"
	[ "$(stat -c %U:%a $relay_log)" = strelaysrv:640 ] || fail "the log's owner"
}

restarts() {
	echo "-- OpenRC: restart, stop"
	before=$pid
	sum=$(sha256sum /var/lib/syncthing-relaysrv/key.pem)
	quietly rc-service strelaysrv restart
	pid=$(cat $pid_file)
	[ "$pid" -ne "$before" ] && [ ! -e "/proc/$before" ] || fail "a restart has not restarted it"
	await 20 "it serves after a restart" strelaysrv -ctl status
	[ "$(sha256sum /var/lib/syncthing-relaysrv/key.pem)" = "$sum" ] || fail "the key"
	ends
}

reloads() {
	echo "-- OpenRC: reload, checkconfig"
	begin "-conf /etc/relay.conf -keys /var/lib/syncthing-relaysrv $options"
	quietly rc-service strelaysrv checkconfig
	quietly rc-service strelaysrv reload
	await 20 "it has not read it again" grep -q 'core: reloaded' $relay_log
	echo 'bounds { nonsense = 1 }' >>/etc/relay.conf
	for action in reload checkconfig; do
		! rc-service strelaysrv $action >"$log" 2>&1 || fail "$action with an error succeeds"
		grep -q nonsense "$log" || fail "$action does not say what is wrong"
	done
	[ "$(grep -c 'core: reloaded' $relay_log)" -eq 1 ] || fail "it was signalled all the same"
	kill -0 "$pid" || fail "it has ended"
	ends
}

# The folder that Gentoo had before 2021 has the keys; then both have.
finds_the_keys() {
	echo "-- OpenRC: the folder of the keys"
	mv /var/lib/syncthing-relaysrv /var/lib/strelaysrv
	begin "$options"
	has_folder strelaysrv
	[ ! -e /var/lib/syncthing-relaysrv ] || fail "it has made another folder"
	ends
	cp -a /var/lib/strelaysrv /var/lib/syncthing-relaysrv
	begin "$options"
	has_folder syncthing-relaysrv
	ends
}

echo '# Nothing is set.' >/etc/relay.conf
install_openrc
takes_the_options
restarts
reloads
finds_the_keys
