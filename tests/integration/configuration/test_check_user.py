# SPDX-License-Identifier: MPL-2.0
"""-check as root, for a server that changes to the option `user`: what its modules read must be
readable as that user."""

import os

import pytest

from open_folder import folder  # noqa: F401
from privileges import why_no_other_user
from relay_server import run
from skip_unless import can_run

UID, GID = 64701, 64702

pytestmark = can_run("-check FOR ANOTHER USER", why_no_other_user())

GUARDS = {
    "token-file": 'access {{ token-file = "{path}" }}',
    "list": 'access {{ join-deny = {{ "@{path}" }} }}',
    "relay-token": 'relay {{ token-file = "{path}" }}',
}


@pytest.fixture
def check(folder, plain_program):  # noqa: F811
    def check(module, section):
        conf = folder / "relay.conf"
        conf.write_text(f"modules = {{ log, relay, {module} }}\n"
                        f'status-srv = ""\nlisten = "127.0.0.1:0"\n'
                        f"user = {UID}\ngroup = {GID}\n{section}\n")
        conf.chmod(0o644)
        return run(plain_program, "-conf", str(conf), "-keys", str(folder), "-check")

    return check


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_the_user_cannot_read_is_an_error(check, folder, guard):  # noqa: F811
    path = folder / "guard"
    path.write_text("10.0.0.1\n")
    section = GUARDS[guard].format(path=path)
    path.chmod(0o600)
    refused = check("access", section)
    assert refused.returncode == 1
    assert f"cannot open {path}: Permission denied" in refused.stderr, refused.stderr
    os.chown(path, UID, GID)
    accepted = check("access", section)
    assert accepted.returncode == 0, accepted.stderr


def test_a_state_that_the_user_cannot_write_is_an_error(check, folder):  # noqa: F811
    closed = folder / "closed"
    closed.mkdir(mode=0o755)
    section = f'quota {{ state-required = no day = 1GB\nstate-file = "{closed / "quota.state"}" }}'
    refused = check("quota", section)
    assert refused.returncode == 1
    assert "Permission denied" in refused.stderr, refused.stderr
    os.chown(closed, UID, GID)
    accepted = check("quota", section)
    assert accepted.returncode == 0, accepted.stderr


def test_an_included_file_that_the_user_cannot_read_is_an_error(check, folder):  # noqa: F811
    """Root has read it, but no reload and no upgrade can."""
    included = folder / "included.conf"
    included.write_text("drain-timeout = 2h\n")
    included.chmod(0o600)
    refused = check("status", f'include("{included}")')
    assert refused.returncode == 1
    told = [line for line in refused.stderr.splitlines() if "no reload and no upgrade" in line]
    assert len(told) == 1 and f"the user {UID} cannot read all" in told[0], refused.stderr
    assert str(included) in told[0] and "Permission denied" in told[0]
    os.chown(included, UID, GID)
    accepted = check("status", f'include("{included}")')
    assert accepted.returncode == 0, accepted.stderr
    assert "no reload and no upgrade" not in accepted.stderr


def test_an_unknown_user_is_told_once(folder, plain_program):  # noqa: F811
    conf = folder / "relay.conf"
    conf.write_text('modules = { log, relay }\nstatus-srv = ""\nlisten = "127.0.0.1:0"\n'
                    "user = no-such-user\n")
    refused = run(plain_program, "-conf", str(conf), "-keys", str(folder), "-check")
    assert refused.returncode == 1
    assert refused.stderr.count('there is no user "no-such-user"') == 1, refused.stderr
