# SPDX-License-Identifier: MPL-2.0
"""The checks of the stage style find their errors in small trees made for this."""

import subprocess
import sys

import pytest

from relay_server import ROOT


@pytest.fixture
def check(tmp_path):
    """check(script, {name: text}) runs the script on a tree with these files; returns its exit code
    and output."""
    def run(script, files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        done = subprocess.run([sys.executable, ROOT / "tests" / "style" / script, tmp_path],
                              capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


GOOD_PAGE = """# A page
[here](#a-page), [there](core/README.md#two-words), [far](https://example.org/x),
`core/peers/session.c`, `peers/session.c`, `session.c`, `NAME.c`, `tests/unit/ROOM`, `/etc/x.c`
```
`core/nothing.c`
```
"""
TREE = {"core/README.md": "# Two words\n", "core/peers/session.c": "\n"}


def test_pages_whose_links_resolve_pass(check):
    code, out = check("links.py", {**TREE, "README.md": GOOD_PAGE})
    assert code == 0, out


@pytest.mark.parametrize("text, finding", [
    ("[x](core/nothing.md)", "core/nothing.md does not exist"),
    ("[x](#nowhere)", "#nowhere has no such heading"),
    ("[x](core/README.md#one-word)", "core/README.md#one-word has no such heading"),
    ("`core/session.c`", "core/session.c does not exist"),
    ("`nothing.py`", "nothing.py does not exist"),
    ("`http/session.c`", "http/session.c does not exist"),
])
def test_what_does_not_resolve_is_found(check, text, finding):
    assert check("links.py", {**TREE, "README.md": f"# A page\n{text}\n"}) == (
        1, f"README.md: {finding}\n")


def test_installed_pages_are_checked_without_a_tree(tmp_path):
    def checked():
        done = subprocess.run([sys.executable, ROOT / "tests/style/links.py", "--installed", tmp_path],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert checked()[0] == 1  # no page
    (tmp_path / "doc").mkdir()
    (tmp_path / "doc" / "A.md").write_text("# One\n[x](B.md) `core/nothing.c` [y](#one)\n")
    assert checked() == (1, "doc/A.md: B.md does not exist\n")
    (tmp_path / "doc" / "B.md").touch()
    assert checked() == (0, "2 installed pages: all links resolve\n")


MODULE = {
    "modules/m/m.c": "RELAY_OPT(x)\nRELAY_MODULE = {\n", "modules/m/part.c": "relay_metrics_add(x)\n",
    "modules/m/README.md":
        "# m\n## Options\n## How\n## Metrics\n## Messages\n## Files\n`m.c` `part.c`\n",
    "core/net/README.md": "# core/net\n- **May use:** x\n- **Entry points:** x\n- **Threads:** x\n",
}


def test_pages_of_modules_and_rooms_pass(check):
    code, out = check("links.py", MODULE)
    assert code == 0, out


ORDER = "the order of headings is Options, its own, Metrics, Messages, For other modules, Files"


@pytest.mark.parametrize("name, old, new, finding", [
    ("modules/m/README.md", "# m\n", "# other\n", "its title is not m"),
    ("modules/m/README.md", "## Options\n", "", ORDER),
    ("modules/m/README.md", "## Options\n## How\n", "## How\n## Options\n", ORDER),
    ("modules/m/README.md", "## Metrics\n## Messages\n", "## Messages\n## Metrics\n", ORDER),
    ("modules/m/README.md", "## Metrics\n", "", "the heading Metrics is missing"),
    ("modules/m/README.md", "`part.c`", "", "part.c is not below Files"),
    ("core/net/README.md", "- **May use:** x\n", "",
     "it has not the points May use, Entry points, Threads"),
    ("core/net/README.md", "x\n", "x\n" * 20, "more than 20 lines"),
])
def test_pages_of_another_form_are_found(check, name, old, new, finding):
    text = MODULE[name].replace(old, new, 1)
    assert check("links.py", {**MODULE, name: text}) == (1, f"{name}: {finding}\n")


@pytest.mark.parametrize("text, finding", [
    ("RELAY_OPT(x)\n", "m.c has no descriptor"),
    ("RELAY_MODULE = {\n", None),
])
def test_what_belongs_into_the_main_file_is_looked_for_there(check, text, finding):
    tree = {**MODULE, "modules/m/m.c": text, "modules/m/part.c": "RELAY_OPT(y) relay_metric_add(x)\n"}
    want = finding or "options belong into m.c"
    assert check("links.py", tree) == (1, f"modules/m/README.md: {want}\n")


def c_function(lines):
    """The text of a function with `lines` lines from brace to brace."""
    return "int f(\n\tint a)\n{\n" + "\ta++;\n" * (lines - 2) + "}\n"


def python_function(lines):
    return "def f():\n" + "    f()\n" * (lines - 1)


@pytest.mark.parametrize("files", [
    {"core/peers/a.c": c_function(49) + "\n" + c_function(49), "modules/m/b.h": "\n" * 450},
    {"tests/bench/a.py": python_function(49), "tests/unit/long.c": c_function(500)},
])
def test_short_files_pass(check, files):
    code, out = check("lengths.py", files)
    assert code == 0, out


@pytest.mark.parametrize("name, text, finding", [
    ("modules/m/a.c", "\n" * 451, "451 lines, more than 450"),
    ("include/a/b.h", "\n" * 460, "460 lines, more than 450"),
    ("core/net/a.c", "\n" + c_function(51), "a function of 51 lines begins in line 4"),
    ("tests/siege/a.py", python_function(51), "a function of 51 lines begins in line 1"),
])
def test_long_files_and_functions_are_found(check, name, text, finding):
    assert check("lengths.py", {name: text}) == (1, f"{name}: {finding}\n")


MODULES = {"modules/a/a.h": "", "modules/a/a_service.h": "", "modules/shared/s.h": "",
           "modules/b/asks/x.h": ""}


@pytest.mark.parametrize("include", ["../a/a_service.h", "shared/s.h", "b/asks/x.h", "asks/x.h"])
def test_modules_see_services_and_what_is_shared(check, include):
    code, out = check("module_includes.py", {**MODULES, "modules/b/b.c": f'#include "{include}"\n'})
    assert code == 0, out


@pytest.mark.parametrize("include", ["../a/a.h", "a/a.h"])
def test_what_is_a_modules_own_is_found(check, include):
    assert check("module_includes.py", {**MODULES, "modules/b/b.c": f'#include "{include}"\n'}) == (
        1, f"modules/b/b.c includes {include}, which is module a's own\n")


@pytest.mark.parametrize("files, circle", [
    ({"modules/a/a.h": '#include "b.h"\n', "modules/a/b.c": '#include "a/a.h"\n',
      "modules/a/b.h": ""}, "a/a, a/b"),
    ({"modules/a/x/i.h": '#include "a/y/j.h"\n', "modules/a/y/j.h": '#include "a/k.h"\n',
      "modules/a/k.c": '#include "a/x/i.h"\n', "modules/a/k.h": ""}, "a/k, a/x/i, a/y/j"),
])
def test_a_circle_of_a_modules_units_is_found(check, files, circle):
    assert check("module_includes.py", files) == (1, f"a circle of units: {circle}\n")


def test_units_of_one_name_in_two_folders_are_two(check):
    code, out = check("module_includes.py", {
        "modules/a/x/i.h": '#include "a/y/i.h"\n', "modules/a/y/i.h": "",
        "modules/a/y/i.c": '#include "i.h"\n'})
    assert code == 0, out


def test_what_is_the_cores_own_is_found(check):
    files = {**MODULES, "core/base/x.h": "", "modules/b/b.c": '#include "../../core/base/x.h"\n'}
    assert check("module_includes.py", files) == (
        1, "modules/b/b.c includes ../../core/base/x.h, which is no module's\n")
