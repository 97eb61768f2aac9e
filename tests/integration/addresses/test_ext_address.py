# SPDX-License-Identifier: MPL-2.0
"""A host name in ext-address whose address changes.  The tests run in a mount namespace with their
own hosts file."""

import os
import subprocess

import certificates
from relay_client import ProtocolConnection
from relay_server import Program, RelayServer
from skip_unless import can_run
from waiting import wait_for

_TRY = ["unshare", "-m", "sh", "-c", "mount --bind /dev/null /etc/hosts"]
try:
    CAN = os.geteuid() == 0 and subprocess.run(_TRY, capture_output=True, check=False).returncode == 0
except OSError:
    CAN = False


def told_port_and_address(server, one, two):
    with ProtocolConnection(server.address, one) as joined, \
            ProtocolConnection(server.address, two) as asking:
        joined.join()
        invitation = asking.request(one.id)
        joined.invitation()
    return ".".join(map(str, invitation.address[12:])), invitation.port


@can_run("NAMES IN ext-address", None if CAN else "needs root and mount namespaces")
def test_a_name_that_has_another_address_is_followed(tmp_path, relay_keys):
    hosts, conf = tmp_path / "hosts", tmp_path / "relay.conf"
    hosts.write_text("192.0.2.1 relay.test\n")
    conf.write_text('modules = { log, relay, status }\nrelay {\n  ext-address = "relay.test:443"\n'
                    "  ext-address-lookup = 1s\n}\n")
    program = Program("ours", 1)
    command = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts),
               program.path, "-conf", str(conf), "-keys", str(relay_keys), "-listen", "127.0.0.1:0",
               "-status-srv", ""]
    server = RelayServer(program, command, tmp_path)
    try:
        host, port = server.wait_for_log(r"listening on (\S+)").group(1).rsplit(":", 1)
        server._listen = f"{host}:{port}"
        server.wait_until_serving()
        one, two = certificates.make(), certificates.make()
        assert told_port_and_address(server, one, two) == ("192.0.2.1", 443)
        hosts.write_text("192.0.2.2 relay.test\n")
        server.wait_for_log("relay.test has another address now")
        assert told_port_and_address(server, one, two) == ("192.0.2.2", 443)
        hosts.write_text("192.0.2.2 relay.test\n192.0.2.3 relay.test\n")
        wait_for(lambda: told_port_and_address(server, one, two) == ("192.0.2.2", 443),
                 "the address that is still there")
    finally:
        server.finish()
