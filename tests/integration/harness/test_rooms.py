# SPDX-License-Identifier: MPL-2.0
"""The checks of core's rooms find forbidden includes, cycles and global variables in small
trees."""

import shutil
import subprocess
import sys

import pytest

from relay_server import ROOT

STYLE = ROOT / "tests" / "style"
sys.path.insert(0, str(STYLE))
from rooms import ROOMS  # noqa: E402


def compile_here(tree, name):
    out = tree / "build" / "CMakeFiles" / "x.dir" / f"{name}.o"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-c", "-I", tree / "core", tree / name, "-o", out], check=True)


@pytest.fixture
def rooms(tmp_path):
    """rooms({name: text}): exit code and output, of a core with these files; .c are built."""
    def run(files):
        all_files = {**{f"core/{room}/{room}_x.h": "" for room in ROOMS}, **files}
        for name, text in all_files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        (tmp_path / "tests" / "style").mkdir(parents=True)
        shutil.copy(STYLE / "rooms.py", tmp_path / "tests" / "style")
        for name in {"core/base/any.c": "", **files}:
            (tmp_path / name).touch()
            if name.endswith(".c"):
                compile_here(tmp_path, name)
        done = subprocess.run(
            [sys.executable, tmp_path / "tests" / "style" / "rooms.py", tmp_path / "build"],
            capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


def test_arrows_down_pass(rooms):
    code, out = rooms({"core/net/a.c": '#include "net/net_x.h"\n#include "base/base_x.h"\n'})
    assert code == 0, out


@pytest.mark.parametrize("files, finding", [
    ({"core/base/a.h": '#include "net/net_x.h"\n'},
     "core/base/a.h includes net/net_x.h, which is above it"),
    ({"core/net/a.h": "", "core/net/a.c": '#include "net/b.h"\n',
      "core/net/b.h": '#include "net/a.h"\n'}, "a circle of units: a, b"),
    ({"core/base/a.h": "#  include <net/net_x.h>\n"},
     "core/base/a.h includes net/net_x.h, which is above it"),
    ({"core/attic/a.h": ""}, "core/attic is not listed in rooms.py"),
    ({"core/a.h": ""}, "core/a.h is not in a room's own folder"),
    ({"core/net/deep/a.h": ""}, "core/net/deep/a.h is not in a room's own folder"),
    ({"core/base/a.c": "extern int far(void);\nint near(void) { return far(); }\n",
      "core/net/b.c": "int far(void) { return 1; }\n"},
     "core/base/a.c uses far, which core/net above it defines"),
])
def test_what_is_not_in_order_is_found(rooms, files, finding):
    assert rooms(files) == (1, finding + "\n")


PAGE = """# core/net

- **May use:** {use}.
- **Entry points:** [a.h](a.h).
- **Threads:** any,
  and others.
- **State:** {state}.
"""
LOG_AND_STATE = '#include "log/log_x.h"\nstruct net_state {\n};\n'
STATE = "`struct net_state` in [a.h](a.h)"


@pytest.mark.parametrize("page, finding", [
    (PAGE.format(use="log", state=STATE), None),
    (PAGE.format(use="log", state="none"), None),
    (PAGE.format(use="base", state=STATE).replace("Threads", "Tasks"),
     "README.md has the items ['May use', 'Entry points', 'Tasks', 'State'], not "
     "['May use', 'Entry points', 'Threads', 'State']"),
    (PAGE.format(use="nothing", state=STATE),
     'includes headers of log, which "May use" does not name'),
    (PAGE.format(use="log, base", state=STATE),
     '"May use" names base, of which it includes nothing'),
    (PAGE.format(use="log", state=STATE.replace("net_", "far_")),
     '"State": struct far_state is not defined in a.h'),
    (PAGE.format(use="log", state="some"),
     '"State" names neither a struct with its file nor "none"'),
])
def test_a_rooms_page_names_what_it_uses_and_keeps(tmp_path, page, finding):
    shutil.copytree(STYLE, tmp_path / "tests" / "style")
    for room in ROOMS:
        (tmp_path / "core" / room).mkdir(parents=True)
        (tmp_path / "core" / room / "README.md").write_text(
            PAGE.format(use="nothing", state="none"))
    (tmp_path / "core" / "log" / "log_x.h").touch()
    (tmp_path / "core" / "net" / "a.h").write_text(LOG_AND_STATE)
    (tmp_path / "core" / "net" / "README.md").write_text(page)
    done = subprocess.run([sys.executable, tmp_path / "tests" / "style" / "room_pages.py"],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (
        (1, f"core/net: {finding}\n") if finding else (0, f"core: {len(ROOMS)} pages of rooms\n"))


@pytest.mark.parametrize("text, code, finding", [
    ("static const char *const words[] = {\"a\"};\nconst char *f(void) { return words[0]; }\n",
     0, ""),
    ("static int held;\nint *f(void) { return &held; }\n", 1, "held"),
    ("int *f(void) { static int here; return &here; }\n", 1, "here"),
    ("static _Thread_local int mine;\nint *f(void) { return &mine; }\n", 1, "mine"),
])
def test_variables_outside_of_a_rooms_state_are_found(tmp_path, text, code, finding):
    (tmp_path / "core" / "net").mkdir(parents=True)
    (tmp_path / "core" / "net" / "a.c").write_text(text)
    compile_here(tmp_path, "core/net/a.c")
    done = subprocess.run([sys.executable, STYLE / "state.py", tmp_path / "build"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert not finding or done.stdout == (
        f"core/net/a.c: {finding} belongs into the room's state\n")
