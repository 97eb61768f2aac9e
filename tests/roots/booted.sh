#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What the stage `packages` does in a clean Debian in which systemd is process 1 (boot.sh)
# and nothing is installed but the packages: the commands of README.md, and all that the
# maintainer scripts and the unit do with systemd only.
set -eu
# shellcheck source=tests/roots/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=tests/roots/session.sh
. "${0%/*}/session.sh"
built=/srv/shared
keys=/var/lib/syncthing/relaysrv
settings=/etc/default/syncthing-relaysrv
drop_ins=/etc/systemd/system/strelaysrv.service.d
readme=$PWD/README.md

# The file of a package, in a version.
package() {
	echo "$built/$1/$2_$1_$(dpkg --print-architecture).deb"
}

of_unit() {
	systemctl show -p "$1" --value "${2:-strelaysrv}"
}

main_process() {
	pid=$(of_unit MainPID)
	[ "${pid:-0}" -gt 0 ] || fail "the service does not run: $(systemctl status strelaysrv)"
	echo "$pid"
}

# journal PATTERN: whether the service has logged it since `since`.
journal() {
	journalctl --sync
	journalctl -u strelaysrv -o cat --since "@$since" >/tmp/journal
	grep -q -e "$1" /tmp/journal
}

logged() {
	await 60 "the journal lacks '$1': $(journalctl -u strelaysrv -o cat | tail -n 20)" journal "$1"
}

now() {
	sleep 1 # the journal is asked by seconds
	since=$(date +%s)
}

read_uri() {
	journalctl --sync
	uri=$(journalctl -u strelaysrv -o cat 2>/dev/null | sed -n 's/.*URI: //p' | tail -n 1)
}

# asks_for TOKEN: who brings another one, or none, is not served.
asks_for() {
	read_uri
	! strelaysrv-testutil -test -keys /tmp/b -relay "$uri" >"$log" 2>&1 ||
		fail "no token is asked for"
	quietly strelaysrv-testutil -test -keys /tmp/b -relay "$uri" -token "$1"
}

serves() {
	await 60 "$1: the service does not serve" \
		sh -c 'systemctl is-active strelaysrv && strelaysrv -ctl status'
}

# commands_of HEADING: the lines of its first block of commands, without comments.
commands_of() {
	awk -v heading="## $1" '
		$0 == heading { inside = 1; next }
		inside && /^## / { exit }
		inside && /^```/ && block { exit }
		inside && /^```/ { block = 1; next }
		inside && block { sub(/ +# .*/, ""); print }' "$readme"
}

# Word for word, but for the address and the ID, which the page tells to replace.
follow_readme() {
	echo "-- README.md: $1"
	commands_of "$1" >/tmp/commands
	[ "$(wc -l </tmp/commands)" -ge "$2" ] || fail "the commands of README.md: $1"
	while read -r command; do
		echo "   $command"
		id=$(cat /tmp/id 2>/dev/null || true)
		echo "$command" | sed -e "s/relay\.example\.org/127.0.0.1/; s/BWZ3QKT-…/$id/
			s/BWZ3QKT/$(cut -c 1-7 /tmp/a/id 2>/dev/null || true)/" >/tmp/command
		case $command in
		*BWZ3QKT-*) ;;
		*BWZ3QKT*) await 60 "the device is not there" strelaysrv -ctl show "$(cut -c 1-7 /tmp/a/id)" ;;
		esac
		case $command in
		*follow*) quietly sh -c "timeout -s INT 2 $(cat /tmp/command) || [ \$? -eq 124 ]" ;;
		*) quietly sh -c "$(cat /tmp/command)" ;;
		esac
		cat "$log" >>/tmp/readme.log
		read_uri
		echo "$uri" | sed -n 's/.*id=\([A-Z0-9-]*\).*/\1/p' >/tmp/id
	done </tmp/commands
}

# In a folder that has the packages. Root needs no sudo, and this Debian has none.
installs_as_the_page_says() {
	printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
	chmod +x /usr/local/bin/sudo
	mkdir /root/new
	cp "$(package 0.1.0 strelaysrv)" "$(package 0.1.0 strelaysrv-testutil)" /root/new
	cd /root/new
	follow_readme "A private relay in two minutes" 6
	grep -q '^OK$' /tmp/readme.log || fail "testutil: $(cat /tmp/readme.log)"
	grep -q '^state  *serves$' /tmp/readme.log || fail "-ctl status: $(cat /tmp/readme.log)"
	! journal 'joins the\|Failed to join' || fail "the relay is public"
	ls /root/new
}

# What the unit promises, and the server's own sandbox inside of the unit's.
runs_as_the_unit_says() {
	echo "-- the unit"
	main=$(main_process)
	[ "$(ps -o user= -p "$main")" = syncthing ] || fail "the user of the service"
	systemctl status strelaysrv --no-pager >"$log" || fail "systemctl status"
	grep -q 'Status: ".*session' "$log" || fail "systemctl status shows no figures"
	journal 'sandbox: system calls: the server.s own set; files: the system.s are read-only' ||
		fail "the sandbox: $(cat /tmp/journal)"
	grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$main/status" || fail "it may gain rights"
	filters=$(sed -n 's/^Seccomp_filters:[[:space:]]*//p' "/proc/$main/status")
	[ "$filters" -gt 1 ] || fail "both filters: $filters"
	[ "$(stat -c %U:%a /run/strelaysrv/control.sock)" = syncthing:660 ] ||
		fail "the control socket: $(ls -l /run/strelaysrv)"
	[ "$(stat -c %U:%a $keys)" = syncthing:700 ] || fail "the folder of the keys"
	quietly strelaysrv -health
}

# as USER WORD...: that user gives a command.
as() {
	setpriv --reuid "$1" --regid "$1" --init-groups strelaysrv -ctl "$2" "$3" >"$log" 2>&1
}

knows_who_commands() {
	echo "-- who gives commands"
	useradd -G syncthing member
	useradd stranger
	now
	as member log-level info || fail "a member of the group"
	logged "command: log-level info.*user=$(id -u member)"
	code=0
	as stranger log-level info || code=$?
	[ "$code" -eq 4 ] || fail "a stranger may give commands: $code"
	grep -q 'only root' "$log" || fail "a stranger is told: $(cat "$log")"
	quietly strelaysrv -ctl log-level info
	logged 'command: log-level info.*user=0'
	# The server's user, in none of its groups.
	now
	quietly setpriv --reuid syncthing --regid nogroup --clear-groups strelaysrv -ctl log-level info
	logged "command: log-level info.*user=$(id -u syncthing)"
}

reloads() {
	echo "-- reload and restart"
	now
	main=$(main_process)
	echo 'bounds { nonsense = 1 }' >>/etc/strelaysrv/strelaysrv.conf
	! systemctl reload strelaysrv >"$log" 2>&1 || fail "a reload with an error succeeds"
	journal 'nonsense' || fail "the journal does not say what is wrong"
	sed -i '$d' /etc/strelaysrv/strelaysrv.conf
	quietly systemctl reload strelaysrv
	logged 'core: reloaded'
	[ "$(main_process)" -eq "$main" ] || fail "a reload has restarted it"
	quietly systemctl restart strelaysrv
	serves "after a restart"
	[ "$(main_process)" -ne "$main" ] || fail "a restart has not restarted it"
}

steers_as_the_page_says() {
	printf 'modules += { access }\n' >>/etc/strelaysrv/strelaysrv.conf
	quietly systemctl reload strelaysrv
	make_devices
	# It returns as devices do.
	while [ ! -e /tmp/gone ]; do
		strelaysrv-testutil -join -keys /tmp/a -relay "$uri" >/dev/null 2>&1 || sleep 0.5
	done </dev/null &
	returning=$!
	follow_readme Steering 8
	# It is banned, so it does not stay.
	: >/tmp/gone
	wait $returning || true
	quietly strelaysrv -ctl unban "$(cat /tmp/a/id)"
}

# A token from now on.
upgrades_without_ending_a_session() {
	echo "-- the package is upgraded under a session"
	echo "STRELAYSRV_OPTS=-pools= -token secret" >$settings
	quietly systemctl restart strelaysrv
	serves "with a token"
	begin_session
	now
	main=$(main_process)
	cd /root/new
	rm -- *.deb
	cp "$(package 0.1.1 strelaysrv)" "$(package 0.1.1 strelaysrv-testutil)" .
	quietly apt-get install ./strelaysrv_*.deb ./strelaysrv-testutil_*.deb
	! grep -q 'could not upgrade' "$log" || fail "the package's upgrade"
	[ "$(main_process)" -ne "$main" ] || fail "the old process serves"
	[ -d "/proc/$main" ] || fail "the old process has left its session"
	goes_on
	[ "$(of_unit NRestarts)" -eq 0 ] || fail "it was restarted"
	serves "after the upgrade"
	quietly strelaysrv -ctl modules
	grep -q '^relay  *next ' "$log" || fail "the new process has an old module"
	quietly strelaysrv -ctl status
	grep -q '^version .*v0\.1\.1' "$log" || fail "the new process has the old program"
	strelaysrv -ctl -draining status >"$log" 2>&1 || fail "the one that drains has no socket"
	! grep -q '^version .*v0\.1\.1' "$log" || fail "the old process has the new program"
	end_session
	await 60 "the old process ends" test ! -d "/proc/$main"
	serves "after the end of the old process"
	logged 'the old process has ended'
	quietly strelaysrv -ctl log-level info
}

# As README.md says it.
upgrades_by_a_signal() {
	echo "-- an upgrade by a signal"
	command=$(grep -o '^systemctl kill .*USR2 strelaysrv$' "$readme") || fail "the line of README.md"
	now
	main=$(main_process)
	quietly sh -c "$command"
	logged 'serves; this one'
	await 60 "the old process ends" test ! -d "/proc/$main"
	serves "after the upgrade"
}

is_restarted_if_it_cannot_upgrade() {
	echo "-- a server that cannot upgrade itself is restarted"
	now
	main=$(main_process)
	# Without the process that starts the next one.
	pkill -KILL -x -P "$main" strelaysrv-next || fail "no process stands by"
	quietly apt-get --allow-downgrades install "$(package 0.1.0 strelaysrv)" \
		"$(package 0.1.0 strelaysrv-testutil)"
	serves "after a failed upgrade"
	new=$(main_process)
	[ "$new" -ne "$main" ] && [ "/proc/$new/exe" -ef /usr/bin/strelaysrv ] ||
		fail "the old file runs: $(cat "$log")"
}

takes_credentials() {
	echo "-- credentials"
	mkdir -p $drop_ins
	printf '[Service]\nLoadCredential=token:/etc/strelaysrv/secret\n' >$drop_ins/50-token.conf
	(umask 077 && echo other >/etc/strelaysrv/secret)
	echo "STRELAYSRV_OPTS=-pools=" >$settings
	now
	quietly systemctl daemon-reload
	quietly systemctl restart strelaysrv
	serves "with a credential"
	asks_for other
	# The new process of an upgrade has it, too.
	quietly systemctl kill --kill-whom=main -s USR2 strelaysrv
	logged 'the old process has ended'
	asks_for other
	rm $drop_ins/50-token.conf /etc/strelaysrv/secret
	quietly systemctl daemon-reload
	quietly systemctl restart strelaysrv
}

is_stopped_and_started() {
	echo "-- stop, a crash, and a flag that is wrong"
	now
	quietly systemctl stop strelaysrv
	[ "$(of_unit Result)" = success ] || fail "its end: $(of_unit Result)"
	[ ! -e /run/strelaysrv ] || fail "/run/strelaysrv is left"
	quietly systemctl start strelaysrv
	kill -SEGV "$(main_process)"
	await 60 "it is not started again after a crash" \
		sh -c '[ "$(systemctl show -p NRestarts --value strelaysrv)" -eq 1 ]'
	serves "after a crash"
	logged 'SIGSEGV\|signal 11\|crash'
	echo "STRELAYSRV_OPTS=-pools= -nonsense" >$settings
	! systemctl restart strelaysrv >"$log" 2>&1 || fail "a wrong flag"
	[ "$(of_unit ExecMainStatus)" -eq 2 ] && [ "$(of_unit ActiveState)" = failed ] ||
		fail "it is started again and again: $(systemctl status strelaysrv)"
	logged 'flag provided but not defined: -nonsense'
	echo "STRELAYSRV_OPTS=-pools=" >$settings
	quietly systemctl start strelaysrv
}

# Its service runs, with a token and another ID, and ours takes over.
changes_with_the_go_relay() {
	echo "-- back to the Go relay, and to this one again"
	echo 'STRELAYSRV_OPTS="-pools= -token=secret -listen 127.0.0.1:22167"' >$settings
	quietly apt-get -y remove strelaysrv
	! systemctl is-active strelaysrv >/dev/null 2>&1 || fail "it runs without its package"
	quietly apt-get -y --no-install-recommends install syncthing-relaysrv
	await 60 "the Go relay does not run" systemctl is-active syncthing-relaysrv
	sum=$(sha256sum $keys/key.pem)
	[ "$(of_unit Id syncthing-relaysrv)" = syncthing-relaysrv.service ] || fail "whose unit"
	now
	cd /root/new
	quietly apt-get -y install ./strelaysrv_*.deb
	serves "over the Go relay"
	[ "$(of_unit Id syncthing-relaysrv)" = strelaysrv.service ] || fail "no alias"
	[ "$(sha256sum $keys/key.pem)" = "$sum" ] || fail "the key"
	logged 'URI: relay://127.0.0.1:22167'
	asks_for secret
	pgrep -x -a strelaysrv >"$log"
	[ "$(wc -l <"$log")" -eq 1 ] || fail "another relay is left"
}

# Of the packages of the Syncthing project: their folder, user and variable.
takes_the_layout_of_upstream() {
	echo "-- the layout of the Syncthing project's packages"
	theirs=/var/lib/syncthing-relaysrv
	quietly apt-get -y purge strelaysrv
	[ ! -e $keys ] || fail "a purge leaves the keys"
	! systemctl is-active strelaysrv >/dev/null 2>&1 || fail "it runs after a purge"
	useradd -r -d $theirs -g syncthing syncthing-relaysrv
	install -d -o syncthing-relaysrv -g syncthing -m 700 $theirs
	cp /tmp/a/cert.pem /tmp/a/key.pem $theirs
	chown syncthing-relaysrv:syncthing $theirs/*
	echo 'RELAYSRV_OPTS=-pools= -token=theirs' >$settings
	now
	quietly apt-get -y install ./strelaysrv_*.deb
	serves "with the other layout"
	logged "URI: .*id=$(cat /tmp/a/id)"
	asks_for theirs
	[ "$(ps -o user:32= -p "$(main_process)")" = syncthing-relaysrv ] || fail "the user"
	quietly apt-get -y purge strelaysrv
	[ -e $theirs/key.pem ] || fail "keys of another package are gone"
}

# A service that has begun since the boot would be stopped by nobody but its package.
leaves_nothing() {
	! pgrep -a strelaysrv >"$log" || fail "processes are left"
	systemctl --failed --plain --no-legend >"$log"
	! grep . "$log" || fail "units have failed"
}

# The answers to apt's question, and to dpkg's about a settings file that is there.
cat >/etc/apt/apt.conf.d/91booted <<'END'
APT::Get::Assume-Yes "true";
Dpkg::Options { "--force-confold"; };
END
began=$(date +%s)
now
installs_as_the_page_says
runs_as_the_unit_says
knows_who_commands
reloads
steers_as_the_page_says
upgrades_without_ending_a_session
upgrades_by_a_signal
is_restarted_if_it_cannot_upgrade
takes_credentials
is_stopped_and_started
changes_with_the_go_relay
takes_the_layout_of_upstream
leaves_nothing
echo "-- $(($(date +%s) - began)) s"
