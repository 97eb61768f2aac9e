# SPDX-License-Identifier: MPL-2.0
"""A copy of the sources, and its build, in which one fault at a time is planted."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess

# The type Release without assertions, but built in a third of the time.
COMPILE = "<CMAKE_C_COMPILER> <DEFINES> <INCLUDES> <FLAGS> -O1 -g0 -o <OBJECT> -c <SOURCE>"
# They compile the server once more, and are not run here.
UNUSED = ("tests/fuzz", "tests/schedules")


def output_of(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def copy_if_changed(source, target):
    """Files that are the same keep their time, so that they are not built again."""
    data = source.read_bytes()
    if target.is_file() and target.read_bytes() == data:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def global_symbols(path):
    """Those that an object file defines."""
    lines = output_of("nm", "-g", "--defined-only", str(path)).splitlines()
    return {line.split()[-1] for line in lines if line}


class Build:
    def __init__(self, root, folder):
        self.root = root
        self.tree, self.build = folder / "tree", folder / "build"
        self.original = folder / "original"
        self._sync()
        self._configure()
        output_of("ninja", "-C", str(self.build), *self._targets())
        self._keep_original()
        # What is hidden, as in modules, is local in a program.
        self._units = {program: set() for program in
                       sorted(self.build.glob("tests/unit/test_*")) if program.is_file()}
        listed = output_of("nm", "-A", "--defined-only", *map(str, self._units)) if self._units else ""
        for program, _, symbol in (line.rpartition(":") for line in listed.splitlines()):
            self._units[pathlib.Path(program)].add(symbol.split()[-1])
        commands = json.loads((self.build / "compile_commands.json").read_text())
        self._objects, self._commands = {}, {}
        for command in commands:
            # The core first: test modules compile some files once more.
            path = pathlib.Path(command["file"])
            if path.is_relative_to(self.tree):  # others are made by the build
                output = re.search(r" -o (\S+)", command["command"]).group(1)
                source = str(path.relative_to(self.tree))
                self._objects.setdefault(source, self.build / output)
                self._commands.setdefault(source, command["command"])

    def _sync(self):
        names = output_of("git", "ls-files", "-co", "--exclude-standard", cwd=self.root).splitlines()
        present = {name for name in names if (self.root / name).is_file()}
        for old in self.tree.rglob("*"):
            if old.is_file() and str(old.relative_to(self.tree)) not in present:
                old.unlink()
        for name in present:
            copy_if_changed(self.root / name, self.tree / name)

    def _configure(self):
        output_of("cmake", "-G", "Ninja", "-S", str(self.tree), "-B", str(self.build),
                  "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=ON",
                  f"-DCMAKE_C_COMPILE_OBJECT={COMPILE}")

    def _targets(self):
        listed = output_of("ninja", "-C", str(self.build), "-t", "targets", "all")
        folders = re.findall(r"^(\S+)/all: phony$", listed, re.M)
        return ["strelaysrv", *(f"{folder}/all" for folder in folders if not any(
            f"{unused}/".startswith(f"{folder}/") for unused in UNUSED))]

    def _ninja(self, *targets):
        return subprocess.run(["ninja", "-C", str(self.build), *targets], check=False,
                              capture_output=True, text=True).returncode == 0

    def _keep_original(self):
        """What tests run, without a fault."""
        self.original.mkdir(exist_ok=True)
        for path in self.build.rglob("*"):
            name = path.relative_to(self.build)
            wanted = path.suffix == ".so" or len(name.parts) == 1 and path.suffix != ".json" \
                or name.parts[:2] in (("tests", "bench"), ("tests", "siege"), ("tests", "faults"),
                                      ("tests", "testutil"), ("tests", "unit"))
            if wanted and path.is_file() and path.suffix not in (".ninja", ".o", ".a"):
                copy_if_changed(path, self.original / name)

    def units(self, source):
        """The programs of tests/unit that contain this file: those of its room, and the others."""
        needed = global_symbols(self._objects[source])
        room = pathlib.PurePath(source).parts[1]
        found = [program for program, has in self._units.items() if needed and needed <= has]
        own = {path.stem for path in (self.tree / "tests/unit" / room).glob("test_*.c")}
        return ([program for program in found if program.name in own],
                [program for program in found if program.name not in own])

    def _code(self, source):
        stripped = self.build / "stripped.o"
        output_of("objcopy", "--strip-debug", str(self._objects[source]), str(stripped))
        return hashlib.sha256(stripped.read_bytes()).hexdigest()

    def plant(self, site):
        """Compiles it with the fault: "compiled", "does not compile" or "same code"."""
        path = self.tree / site.path
        target = str(self._objects[site.path].relative_to(self.build))
        self._ninja(target)  # without the fault that was in the same file before
        before = self._code(site.path)
        path.write_text(site.apply(path.read_text("utf-8")), "utf-8")
        if not self._ninja(target):
            return "does not compile"
        return "same code" if self._code(site.path) == before else "compiled"

    def warns(self, source):
        """Whether the compiler warns of it, which is an error where the suite builds."""
        command = re.sub(r" -O1 -g0 -o \S+", " -O2 -Werror -o /dev/null", self._commands[source])
        return subprocess.run(command, shell=True, cwd=self.build, check=False,
                              capture_output=True).returncode != 0

    def link(self, programs):
        """Links programs, or the server and its modules, with the fault.  Apart, because most
        faults are noticed by the first few programs."""
        targets = [str(program.relative_to(self.build)) for program in programs]
        if targets and not self._ninja(*targets):
            raise RuntimeError(f"with a fault that compiles, these are not linked: {targets}")

    def servers(self):
        return [self.build / "strelaysrv", *self.build.glob("modules/*.so"),
                *self.build.glob("tests/modules/*/*.so")]

    def restore(self, site):
        shutil.copy(self.root / site.path, self.tree / site.path)
