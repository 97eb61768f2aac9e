# SPDX-License-Identifier: MPL-2.0
"""The script by which a package upgrades and signals the running server, without systemd."""

import os
import shutil
import signal
import subprocess

import pytest
from hanging import mount  # noqa: F401
from pairing import Invited, check_both_ways
from relay_server import ROOT
from upgrading import start_upgrading  # noqa: F401
from waiting import PATIENCE

SCRIPT = ROOT / "conf" / "signal-running.sh"


def signal_running(program, word, **variables):
    return subprocess.run(["sh", str(SCRIPT), word], capture_output=True, text=True, check=False,
                          timeout=4 * PATIENCE,
                          env={**os.environ, "STRELAYSRV_PROGRAM": str(program), **variables})


def install_again(program):
    """As dpkg does: another file takes the name."""
    shutil.copy(program, program.with_suffix(".dpkg-new"))
    program.with_suffix(".dpkg-new").rename(program)


def test_the_next_version_takes_over_and_no_session_ends(start_upgrading, identities):  # noqa: F811
    server = start_upgrading(prefix=())
    with Invited(server, identities[0], identities[1]) as invited:
        pair = invited.join_both()
        install_again(server.binary)
        done = signal_running(server.binary, "upgrade")
        assert done.returncode == 0, done.stderr + server.log()
        check_both_ways(*pair)
        server.wait_for_log(r"process (\d+) serves; this one")
        new = int(server.wait_for_log(r"process (\d+) serves; this one").group(1))
        server.generations.append(new)
        assert os.path.samefile(f"/proc/{new}/exe", server.binary)
        assert os.getpgid(new) != new, "the upgrade is not final yet"
        # What drains is left alone, and who runs the installed file already, too.
        assert signal_running(server.binary, "upgrade").returncode == 0
        assert server.count("serves; this one") == 1
        assert signal_running(server.binary, "HUP").returncode == 0
        server.wait_for_log("core: reloaded")
        check_both_ways(*pair)


def test_without_a_server_that_is_told(tmp_path):
    (tmp_path / "strelaysrv").write_text("")
    assert signal_running(tmp_path / "strelaysrv", "upgrade").returncode == 3


def test_a_new_process_that_is_never_ready_is_told(start_upgrading, mount):  # noqa: F811
    """After the seconds in which a ready one would be watched, too."""
    token = mount.file("token", "secret\n")
    server = start_upgrading("-upgrade-timeout", "9s", prefix=(), env=mount.environment,
                             conf=f'relay {{ token-file = "{token}" }}\n')
    mount.hang()
    install_again(server.binary)
    done = signal_running(server.binary, "upgrade")
    assert done.returncode == 1, server.log()
    server.wait_for_log("upgrade failed: the new process was not ready within upgrade-timeout")
    mount.answer()
    assert signal_running(server.binary, "upgrade").returncode == 0, server.log()
    server.generations.append(int(server.wait_for_log(r"process (\d+) serves; this one").group(1)))


#: Instead of sleep(1): waits until the old process has ended, whose parent has not asked how.
UNTIL_ENDED = """#!/bin/sh
{first}
for i in $(seq 3000); do
	! grep -q "^State:.Z" /proc/{pid}/status || exit 0
	/bin/sleep 0.02
done
exit 1
"""


@pytest.mark.parametrize("first, code", [("", 0), ("kill -KILL {pid}", 1)])
def test_the_old_process_ends_before_the_new_one_is_found(  # noqa: F811
        start_upgrading, tmp_path, first, code):
    """On a busy machine it takes long to look at all processes."""
    server = start_upgrading(prefix=())
    (tmp_path / "bin").mkdir()
    sleep = tmp_path / "bin" / "sleep"
    sleep.write_text(UNTIL_ENDED.format(pid=server.serving, first=first.format(pid=server.serving)))
    sleep.chmod(0o755)
    if code == 0:
        install_again(server.binary)
    else:
        server.replace_program("#!/bin/false\n")
    done = signal_running(server.binary, "upgrade", PATH=f"{sleep.parent}:{os.environ['PATH']}")
    assert done.returncode == code, done.stderr + server.log()
    if code == 0:
        server.generations.append(
            int(server.wait_for_log(r"process (\d+) serves; this one").group(1)))
    else:
        server.codes[server.serving] = server.process.wait(PATIENCE)
        assert server.codes.pop(server.serving) == -signal.SIGKILL
