# SPDX-License-Identifier: MPL-2.0
"""The manual pages repeat what the programs, the sample and the headers say, and the completion
of shells knows the flags."""

import os
import re
import subprocess

import pytest
from relay_server import ROOT, module_folder

import device_id
import man_pages

PAGES = sorted(path.name for path in man_pages.FOLDER.glob("*.[1-8]"))


@pytest.fixture(scope="module")
def wanted():
    return {path.name: text for path, text in man_pages.pages().items()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(wanted, name):
    assert (man_pages.FOLDER / name).read_text(encoding="utf-8") == wanted[name], (
        "run: /usr/bin/python3 tests/integration/tools/man_pages.py")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_without_warnings(name):
    done = subprocess.run(["man", "--warnings", "-l", man_pages.FOLDER / name],
                          env={**os.environ, "MANWIDTH": "80"}, capture_output=True, text=True,
                          check=True)
    assert not done.stderr and len(done.stdout) > 1000


def test_the_pages_have_every_option():
    page = (man_pages.FOLDER / "strelaysrv.conf.5").read_text(encoding="utf-8")
    sample = (ROOT / "conf" / "strelaysrv.conf").read_text(encoding="utf-8")
    for name in re.findall(r"^#? ?\s*([a-z-]+) = ", sample, re.M):
        assert name == "required" or f'{man_pages.escape(name)} " = ' in page, name


def complete(words, folder):
    """What bash completes the last of the words to."""
    script = (f'. {ROOT}/conf/completion/strelaysrv.bash; COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _strelaysrv; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], cwd=folder, capture_output=True,
                          text=True, check=True)
    assert not done.stderr
    return sorted(done.stdout.split())


def test_bash_completes_flags(plain_program, tmp_path):
    assert complete([plain_program.path, "-network-"], tmp_path) == [
        "-network-buffer", "-network-timeout"]
    assert complete([plain_program.path, "--bounds.op"], tmp_path) == [
        "--bounds.opening", "--bounds.opening-per-source"]
    assert complete([plain_program.path, "-log.level", "w"], tmp_path) == ["warning"]
    (tmp_path / "keys").mkdir()
    (tmp_path / "kept").write_text("")
    assert complete([plain_program.path, "-keys", "ke"], tmp_path) == ["keys"]
    assert complete([plain_program.path, "-conf", "ke"], tmp_path) == ["kept", "keys"]
    testutil = str(module_folder().parent / "strelaysrv-testutil")
    assert complete([testutil, "-gen"], tmp_path) == ["-gen-keys"]
    for words in (["-help", "=", "ra"], ["--help", "=", "ra"]):
        assert complete([plain_program.path, *words], tmp_path) == ["rate-limit"]
    assert {"basics", "server", "relay", "nat"} <= set(
        complete([plain_program.path, "-help", "="], tmp_path))


CTL = """case "$*" in
*"-ctl help") printf 'command  module\\nkick ID  relay\\nlimit  rate-limit\\n' ;;
*"-ctl devices") printf 'device  address\\n%s  1.2.3.4:5\\n' {id} ;;
*"-ctl bans") printf 'device  ends in\\n%s  1h\\nno file keeps them\\n' {id} ;;
esac
"""


@pytest.fixture
def told_program(tmp_path):
    """A stand-in for strelaysrv with a server that knows two commands."""
    program = tmp_path / "strelaysrv"
    program.write_text("#!/bin/sh\n" + CTL.replace("{id}", device_id.to_text(bytes(32))))
    program.chmod(0o755)
    return str(program)


CTL_WORDS = [
    (["ki"], ["kick"]), (["limit", "d"], ["device"]), (["devices", ""], ["-json", "by"]),
    (["devices", "by", "r"], ["rate"]), (["kick", "A"], [device_id.to_text(bytes(32))]),
    (["unban", "A"], [device_id.to_text(bytes(32))]), (["ban", "A", "f"], ["for"]),
    (["drain", "c"], ["cancel"]), (["follow", "a"], ["address"]),
    (["follow", "device", "A"], [device_id.to_text(bytes(32))]), (["help", "k"], ["kick"])]


@pytest.mark.parametrize("words, completed", CTL_WORDS)
def test_bash_completes_commands(told_program, tmp_path, words, completed):
    assert complete([told_program, "-conf", "x", "-ctl", *words], tmp_path) == completed


@pytest.mark.parametrize("words, completed", CTL_WORDS)
def test_zsh_completes_commands(told_program, words, completed):
    script = ('compadd() { shift; print -l -- ${(M)@:#$PREFIX*} }; words=("$@"); CURRENT=$#; '
              f'PREFIX=$words[-1]; f() {{ . {ROOT}/conf/completion/_strelaysrv }}; f')
    done = subprocess.run(["zsh", "-fc", script, "zsh", told_program, "-conf", "x", "-ctl", *words],
                          capture_output=True, text=True, check=True)
    assert not done.stderr and sorted(done.stdout.split()) == completed


def test_zsh_completes_flags(plain_program):
    """With stand-ins for the functions of zsh's completion system."""
    script = (f'_describe() {{ print -l -- "${{(@P)2}}" }}; _files() {{ print FILES }}; '
              'compset() { PREFIX=${PREFIX#*=} }; '
              'words=("$@"); CURRENT=$#; PREFIX=$words[-1]; '
              f'. {ROOT}/conf/completion/_strelaysrv')

    def complete_word(word):
        done = subprocess.run(["zsh", "-fc", script, "zsh", plain_program.path, word],
                              capture_output=True, text=True, check=True)
        assert not done.stderr
        return done.stdout.splitlines()

    found = complete_word("-net")
    assert any(re.match("-network-timeout:how long", line) for line in found), found
    for word in ("-help=", "--h=ra"):
        topics = complete_word(word)
        assert {"basics", "server", "relay", "rate-limit"} <= set(topics), topics
    assert any(line.startswith("-bounds.opening:") for line in found)
    assert complete_word("x") == ["FILES"]
