# SPDX-License-Identifier: MPL-2.0
"""tests/registry/driver.c: registries of the module cluster in one process, steered by lines."""

import contextlib
import subprocess
import threading

import pytest

from relay_server import module_folder
from waiting import PATIENCE, Deadline


def padded(device):
    """The ID that the driver makes of a name."""
    return device.ljust(32, ".")


class Driver:
    """The lines that it has written are kept; wait() takes each of them once."""

    def __init__(self, env=None, prefix=()):
        program = module_folder().parent / "tests" / "registry" / "registry-driver"
        self.process = subprocess.Popen([*prefix, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, env=env)
        self.lines = []
        self._untaken = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._untaken.append(self.lines[-1])
                self._news.notify_all()

    def do(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")

    def wait(self, beginning):
        """The first line with this beginning that has not been taken, now or when it comes."""
        deadline = Deadline()
        while not (line := self.take(beginning)):
            assert not deadline.passed(), f"no {beginning} in {self.lines[-30:]}"
            self.pause()
        return line

    def take(self, beginning):
        """As wait(), but None if there is no such line now."""
        with self._news:
            for line in self._untaken:
                if line.startswith(beginning):
                    self._untaken.remove(line)
                    return line
        return None

    def pause(self):
        """Until the next line, or for a moment."""
        with self._news:
            self._news.wait(0.02)

    def forget(self, beginning=""):
        with self._news:
            self._untaken = [line for line in self._untaken if not line.startswith(beginning)]
            self.lines = [line for line in self.lines if not line.startswith(beginning)]

    def ask(self, *words):
        """Gives the command, which must be taken; the next event that is its result."""
        command, name, *rest = map(str, words)
        self.do(command, name, *rest)
        self.wait(f"{name} {command} 0")
        if command in ("join", "check"):
            return self.wait(f"{name} claimed {padded(rest[0])}").split()[3:]
        if command == "find":
            return self.wait(f"{name} found {rest[1]} ").split()[-1]
        if command == "identify":
            return self.wait(f"{name} identified ").split()[-1].rstrip(".")
        return None

    def done(self, name):
        """All that it was asked for before has been done by the server."""
        self.ask("identify", name, "relay")

    def refuses(self, *words):
        """Gives the command, which must not be taken."""
        self.do(*words)
        self.wait(f"{words[1]} {words[0]} -1")

    def open(self, registry, number, *servers, **settings):
        self.do("open", registry, number, "server=" + ",".join(map(str, servers)),
                *(f"{key}={value}" for key, value in settings.items()))
        self.wait(f"{registry} opened")

    def open_and_wait(self, registry, number, *servers, **settings):
        self.open(registry, number, *servers, **settings)
        self.wait(f"{registry} back")

    def counts(self, name):
        self.do("counts", name)
        return {key: int(value) for key, _, value in (
            word.partition("=") for word in self.wait(f"{name} counts").split()[2:])}

    def seen(self, text):
        """The lines so far that contain the text."""
        with self._news:
            return [line for line in self.lines if text in line]

    def finish(self):
        """It must end by itself, without a leak where a sanitizer looks for one."""
        self.process.stdin.close()
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(PATIENCE)
            self._reader.join(PATIENCE)
            self.process.stdout.close()


@pytest.fixture
def driver():
    with contextlib.ExitStack() as ends:
        made = Driver()
        ends.callback(made.finish)
        yield made
