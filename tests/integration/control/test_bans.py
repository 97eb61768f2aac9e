# SPDX-License-Identifier: MPL-2.0
"""-ctl ban, unban and bans: commands of the module access, kept in a file if there is one."""

import stat

import pytest

import relay_protocol as rp
from control_client import (  # noqa: F401
    MODULES, answer, control_folder, controlled, ctl, metric, rows, shown, told,
)
from device_id import to_text
from pairing import Invited
from relay_client import ProtocolConnection, SessionConnection
from waiting import wait_for

REFUSED = 'strelaysrv_access_refused_total{reason="ban"}'


def start(controlled, folder, keep=True, text="new\n", **options):  # noqa: F811
    if keep and text:
        (folder / "bans").write_text(text)
    sections = {"access": {"bans": str(folder / "bans")}} if keep else {}
    return controlled(modules=[*MODULES, "access", "prometheus"], sections=sections, **options)


def join(server, identity):
    with ProtocolConnection(server.address, identity) as client:
        return client.ask(rp.JoinRelayRequest())


def banned(server):
    return {row["device"]: row["ends in"] for row in shown(server, "bans")}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_banned_device_is_ended_at_once_and_refused(controlled, control_folder,  # noqa: F811
                                                      identities, workers):
    server = start(controlled, control_folder, workers=workers)
    name = to_text(identities[1].id)
    with Invited(server, identities[0], identities[1]) as invited, \
            Invited(server, identities[2], identities[3]) as other:
        one, _ = invited.join_both()
        there, here = other.join_both()
        said = told(server, "ban", name[:20])
        assert said.startswith(f"{name} is banned; 2 of its")
        one.receive_to_end()
        wait_for(lambda: len(shown(server, "sessions")) == 1, "the session of the others")
        there.send_bytes(b"still here")
        assert here.receive_bytes(10) == b"still here"
    assert banned(server) == {name: None}
    assert join(server, identities[1]) == rp.response(rp.NOT_FOUND)
    with ProtocolConnection(server.address, identities[2]).join(), \
            ProtocolConnection(server.address, identities[1]) as asker:
        assert asker.ask(rp.ConnectRequest(identities[2].id)) == rp.response(rp.NOT_FOUND)
    assert metric(server, REFUSED) == 2
    server.wait_for_log("access: a banned device was refused")
    assert told(server, "unban", name[:9]) == f"{name} is not banned any more\n"
    assert join(server, identities[1]) == rp.response(rp.SUCCESS)
    assert banned(server) == {}


def test_a_session_key_from_before_the_ban_opens_nothing(controlled, control_folder,  # noqa: F811
                                                         identities):
    server = start(controlled, control_folder)
    with Invited(server, identities[0], identities[1]) as invited:
        told(server, "ban", to_text(identities[0].id))
        for key in invited.to_asker.key, invited.to_target.key:
            with SessionConnection(server.address) as one:
                assert one.ask(rp.JoinSessionRequest(key)) == rp.Response(1, "not found")
    assert shown(server, "sessions") == []


def test_half_a_session_from_before_the_ban_is_closed(controlled, control_folder,  # noqa: F811
                                                      identities):
    server = start(controlled, control_folder)
    with Invited(server, identities[0], identities[1]) as invited, \
            SessionConnection(server.address) as one:
        one.join(invited.to_asker.key)
        told(server, "ban", to_text(identities[0].id))
        one.receive_to_end()
    assert shown(server, "sessions") == []


def test_bans_end_by_time(controlled, control_folder, identities):  # noqa: F811
    server = start(controlled, control_folder)
    name = to_text(identities[0].id)
    assert "is banned for 1h" in told(server, "ban", name, "for", "1h")
    assert 3590000 < banned(server)[name] <= 3600000
    told(server, "ban", name, "for", "1s")
    wait_for(lambda: join(server, identities[0]) == rp.response(rp.SUCCESS), "the end of the ban")
    assert banned(server) == {}


def test_bans_are_kept_across_restarts(controlled, control_folder, identities):  # noqa: F811
    server = start(controlled, control_folder)
    names = {to_text(identity.id) for identity in identities[:3]}
    for name in names:
        told(server, "ban", name, "for", "2h")
    file = control_folder / "bans"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("strelaysrv bans 1 3\n")
    server.finish()
    server = start(controlled, control_folder, text=None)
    assert set(banned(server)) == names
    assert join(server, identities[0]) == rp.response(rp.NOT_FOUND)
    # A reload checks the file, but what counts is in force.
    file.write_text("strelaysrv bans 1 3\n")
    assert ctl(server, "reload").returncode == 1 and "no whole list of bans" in server.log()
    assert set(banned(server)) == names
    told(server, "unban", to_text(identities[0].id))
    assert file.read_text().startswith("strelaysrv bans 1 2\n")
    told(server, "reload")


def test_a_reload_takes_the_bans_to_another_file(controlled, control_folder,  # noqa: F811
                                                 identities):
    server = start(controlled, control_folder, keep=False)
    name, other = (to_text(identity.id) for identity in identities[:2])
    assert "no file keeps bans: they last until the server ends" in told(server, "ban", name)
    assert "no file keeps bans" in answer(server, "bans")["messages"][0]
    (control_folder / "more").write_text(f"strelaysrv bans 1 1\n{other} 0\n")
    server.configure([*MODULES, "access", "prometheus"], {
        "control": {"socket": str(server.socket)}, "access": {"bans": str(control_folder / "more")}})
    told(server, "reload")
    assert set(banned(server)) == {name, other}
    wait_for(lambda: name in (control_folder / "more").read_text(), "the bans in the file")


def test_a_file_that_cannot_be_written_is_reported(controlled, control_folder,  # noqa: F811
                                                   identities):
    server = start(controlled, control_folder)
    (control_folder / "bans").unlink()
    (control_folder / "bans").mkdir()
    done = ctl(server, "ban", to_text(identities[0].id))
    assert done.returncode == 1 and "in force, but lost if the server ends" in done.stderr, done
    assert join(server, identities[0]) == rp.response(rp.NOT_FOUND)


def test_wrong_bans_are_refused(controlled, control_folder, identities):  # noqa: F811
    server = start(controlled, control_folder)
    name = to_text(identities[0].id)
    for words in (["ban"], ["ban", name, "for"], ["ban", name, "for", "0s"], ["ban", name, "1h"],
                  ["ban", name, "for", "ever"], ["unban"], ["bans", "all"]):
        assert ctl(server, *words).returncode == 2, words
    for words in (["ban", "AAAA"], ["ban", "no-id"], ["unban", "AAAA"]):
        done = ctl(server, *words)
        assert done.returncode == 1 and "begins with" in done.stderr, done
    assert banned(server) == {}
