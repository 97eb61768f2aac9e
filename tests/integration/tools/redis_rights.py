# SPDX-License-Identifier: MPL-2.0
"""The rights in Redis that modules/cluster/README.md lists, for a user that has no others."""

import shlex

from relay_server import ROOT

USER, PASSWORD = "strelaysrv", "only-this"


def rights(cluster="relay"):
    """The words of ACL SETUSER behind the user's name."""
    page = (ROOT / "modules/cluster/README.md").read_text()
    command = page.split(f"redis-cli ACL SETUSER {USER} ")[1].split("```")[0]
    return [word.replace("PASSWORD", PASSWORD).replace("{relay}", f"{{{cluster}}}")
            for word in shlex.split(command.replace("\\\n", " "))]


def make_user(redis, folder, cluster="relay"):
    """Options of the module cluster for the user, who is made there."""
    assert redis.call("ACL", "SETUSER", USER, *rights(cluster)) == "OK"
    password = folder / "redis-password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    return {"user": USER, "password-file": str(password)}


def denied(redis):
    """What a user was not allowed to do."""
    return redis.call("ACL", "LOG")
