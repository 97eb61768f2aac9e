# SPDX-License-Identifier: MPL-2.0
"""strelaysrv -modules: the modules found, and their options."""

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
    assert list(found) == sorted(path.stem for path in module_folder().glob("*.so"))
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
    assert re.search(r"^bad-magic cannot be used, not enabled: .*begins with deadbeef .*\n"
                     r"    \S+bad-magic\.so$", text, re.MULTILINE), text


def test_modules_that_are_enabled_and_unusable_are_listed(tmp_path):
    (tmp_path / "relay.conf").write_text("modules = { log, bad-magic, nowhere }\n")
    text = listed("-module-dir", f"{module_folder()},{folder_of('bad-magic')}",
                  "-conf", str(tmp_path / "relay.conf"))
    assert re.search(r"^bad-magic cannot be used, enabled: ", text, re.MULTILINE), text
    assert re.search(r"^nowhere is not there, enabled: no nowhere\.so in /", text, re.MULTILINE), text


def test_who_names_a_folder_is_not_told_that_the_default_modules_are_elsewhere(tmp_path):
    (tmp_path / "text.so").write_text("#!/bin/sh\n")
    text = listed("-module-dir", str(tmp_path))
    assert re.findall(r"^(\S+) .*", text, re.MULTILINE) == ["text"], text


def test_a_file_that_is_no_module_is_listed(tmp_path):
    (tmp_path / "text.so").write_text("#!/bin/sh\n")
    text = listed("-module-dir", f"{module_folder()},{tmp_path}")
    assert re.search(r"^text cannot be used, not enabled: ", text, re.MULTILINE), text


def test_modules_are_listed_although_the_configuration_is_wrong(tmp_path):
    (tmp_path / "relay.conf").write_text("workers = many\nlog { format = json }\n")
    done = run(OURS, "-modules", "-conf", str(tmp_path / "relay.conf"))
    assert done.returncode == 1 and "relay.conf:1" in done.stderr
    assert re.search(r"^    format = json$", done.stdout, re.MULTILINE), done.stdout


def test_nothing_is_started(tmp_path):
    listed("-keys", str(tmp_path))
    assert not list(tmp_path.iterdir())
