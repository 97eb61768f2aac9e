#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Makes strelaysrv.service use the folder and the user of the Go relay's package that has
# left its keys, if it was not Debian's, whose folder and user the unit has.
#
#   take-layout [ROOT]
#
# It writes a drop-in for the unit, below ROOT if that is given, and changes nothing else.
# Run it again at any time: it replaces only a drop-in of its own.
set -eu

root=${1:-}
mark="# Written by strelaysrv's take-layout."
drop_in=$root/etc/systemd/system/strelaysrv.service.d/10-layout.conf

# Debian's folder comes first: there the unit's own settings are right.
folder=""
for name in syncthing/relaysrv syncthing-relaysrv strelaysrv syncthing-strelaysrv; do
	if [ -e "$root/var/lib/$name/key.pem" ]; then
		folder=$name
		break
	fi
done

if [ -e "$drop_in" ] && ! grep -qxF "$mark" "$drop_in"; then
	echo "$drop_in is not changed, since somebody else wrote it." >&2
	exit 0
fi
if [ -z "$folder" ] || [ "$folder" = syncthing/relaysrv ]; then
	rm -f "$drop_in"
	exit 0
fi

# Numbers, since the package of the user may be gone, and its name with it.
user=$(stat -c %u "$root/var/lib/$folder/key.pem")
group=$(stat -c %g "$root/var/lib/$folder/key.pem")
mkdir -p "${drop_in%/*}"
cat >"$drop_in.new" <<END
$mark
# The relay's keys, and with them its ID, are in /var/lib/$folder.
[Unit]
AssertPathExists=
AssertPathExists=/var/lib/$folder/key.pem
[Service]
User=$user
Group=$group
StateDirectory=
StateDirectory=$folder
WorkingDirectory=/var/lib/$folder
END
mv "$drop_in.new" "$drop_in"
echo "strelaysrv.service uses the keys in /var/lib/$folder: see $drop_in"
