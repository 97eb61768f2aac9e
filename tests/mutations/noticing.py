# SPDX-License-Identifier: MPL-2.0
"""Do the tests notice the fault that was planted into the build?"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import topics

UNIT_SECONDS, TEST_SECONDS, MOST_ROUNDS = 40, 120, 4
# Whatever a faulty server leaves running ends with the namespace. Its first process is a shell, as
# that one is special.
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         "sh", "-c", '"$@"; exit $?', "sh")


def alone():
    """ALONE where the machine allows it, else nothing."""
    allowed = shutil.which(ALONE[0]) and subprocess.run([*ALONE, "true"], check=False,
                                                        capture_output=True).returncode == 0
    return ALONE if allowed else ()


class Tests:
    def __init__(self, build, processes):
        self.build, self.prefix, self.processes = build, alone(), processes

    def _run(self, command, seconds, **environment):
        """(exit code, or None if it took longer; output)."""
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = subprocess.Popen(
                [*self.prefix, *command], cwd=self.build.tree, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, env={**os.environ, **environment},
                start_new_session=True)
            try:
                code = process.wait(max(seconds, 1))
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            output.seek(0)
            return code, output.read()

    def unit(self, programs):
        """The name of a unit test that fails, and passes with the original, or ""."""
        def fails(program):
            return self._run([str(program)], UNIT_SECONDS)[0] != 0

        for program in programs:
            original = self.build.original / program.relative_to(self.build.build)
            code = self._run([str(program)], UNIT_SECONDS)[0]
            # What hangs would hang again for as long.
            if code != 0 and not fails(original) and (code is None or fails(program)):
                return program.name
        return ""

    def _pytest(self, folder, seconds, *arguments):
        return self._run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "--only=ours",
             "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", *arguments], seconds,
            STRELAYSRV=str(folder / "strelaysrv"), PYTHONDONTWRITEBYTECODE="1",
            TEST_SLOWNESS="2")

    def black_box(self, selection, seconds):
        """(name of a test that fails, "" if all pass, None if there was no time; how many passed).

        A test that fails counts if it fails again alone, and passes with the original."""
        end, left_out = time.monotonic() + seconds, []
        if not selection:
            return "", 0
        for _ in range(MOST_ROUNDS):
            code, output = self._pytest(
                self.build.build, end - time.monotonic(), "-n", str(self.processes), *selection,
                *(f"--deselect={name}" for name in left_out))
            names = re.findall(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", output, re.M)
            passed = re.search(r"(\d+) passed", output)
            passed = int(passed.group(1)) if passed else 0
            if code is None:
                return None, passed
            if not names:
                # 5: nothing was selected.
                return ("", passed) if code in (0, 5) else (f"pytest ends with {code}", passed)
            for name in names:
                if (self._pytest(self.build.build, TEST_SECONDS, name)[0] != 0
                        and self._pytest(self.build.original, TEST_SECONDS, name)[0] == 0):
                    return name, passed
            left_out += names
        return None, 0

    def units(self, source):
        """The name of a unit program that notices the fault in this file, or ""."""
        for programs in self.build.units(source):
            self.build.link(programs)
            name = self.unit(programs)
            if name:
                return name
        return ""

    def black_boxes(self, source, seconds):
        """(verdict, what noticed it or what was run)."""
        end, total = time.monotonic() + seconds, 0
        self.build.link(self.build.servers())
        for selection in (topics.tests_for(source), topics.limits(self.build.tree)):
            name, passed = self.black_box(selection, end - time.monotonic())
            total += passed
            if name is None:
                return "no time", f"{total} black-box tests at least"
            if name:
                return "noticed", name
        return "survived", f"{total} black-box tests"
