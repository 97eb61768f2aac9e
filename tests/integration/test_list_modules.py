# SPDX-License-Identifier: MPL-2.0
"""strelaysrv -modules: what is found, and how it is set."""

import re

from module_server import folder_of
from relay_server import Program, module_folder, run

OURS = Program("ours")


def listed(*args):
    done = run(OURS, "-modules", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_listed_with_version_and_path():
    text = listed()
    heads = re.findall(r"^(\S+) (\S+), API (\d+\.\d+), (enabled|not enabled): .+\n    (\S+)$",
                       text, re.MULTILINE)
    found = {name: (state, path) for name, _, _, state, path in heads}
    assert set(found) == {path.stem for path in module_folder().glob("*.so")}
    assert found["relay"] == ("enabled", str(module_folder() / "relay.so"))
    assert found["prometheus"][0] == "not enabled"


def test_options_are_listed_with_value_and_origin(tmp_path):
    (tmp_path / "relay.conf").write_text("modules = { log, relay }\nlog { format = json }\n")
    text = listed("-conf", str(tmp_path / "relay.conf"), "-network-timeout", "90s")
    assert re.search(r"^    format = json\n        .*\(.*relay\.conf:2\)$", text, re.MULTILINE), text
    assert re.search(r"^    network-timeout = 1m30s\n        .*\(flag -network-timeout\)$", text,
                     re.MULTILINE)
    assert re.search(r"^    level = info\n        .*\(default\)$", text, re.MULTILINE)
    assert re.search(r"^status \S+, API \S+, not enabled", text, re.MULTILINE)


def test_secrets_are_not_shown():
    text = listed("-token", "geheim")
    assert "geheim" not in text and "token = (not shown)" in text


def test_broken_modules_are_listed_with_their_fault():
    text = listed("-module-dir", f"{module_folder()},{folder_of('bad-magic')}")
    assert re.search(r"^bad-magic cannot be used: .*begins with deadbeef .*\n    \S+bad-magic\.so$", text,
                     re.MULTILINE), text


def test_nothing_is_started(tmp_path):
    listed("-keys", str(tmp_path))
    assert not list(tmp_path.iterdir())
