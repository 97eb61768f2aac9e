# SPDX-License-Identifier: MPL-2.0
"""Our testutil as a process: its lines, pipes and exit code."""

import hashlib
import os
import pathlib
import re
import resource
import select
import subprocess
import threading

import certificates
import device_id
from relay_server import module_folder
from waiting import PATIENCE, Deadline

_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer")

#: The state in /proc/net/tcp of a socket that has received the peer's FIN and not sent its own.
CLOSE_WAIT = "08"


def program():
    """The testutil executable in the folder of our server."""
    return os.environ.get("STRELAYSRV_TESTUTIL",
                          str(module_folder().parent / "strelaysrv-testutil"))


class Keys:
    """A directory of keys, and its device ID."""

    def __init__(self, folder):
        identity = certificates.make()
        self.folder = identity.write(folder)
        self.raw_id = identity.id
        self.id = device_id.to_text(identity.id)


class Result:
    """A testutil process that has ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        assert not _SANITIZER.search(self.err), self.err

    def __str__(self):
        return f"exit code {self.code}\nstdout:\n{self.out}\nstderr:\n{self.err}"


def run(*args, env=None, patience=PATIENCE, descriptors=None):
    """Runs testutil until it ends."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    return Result(subprocess.run(
        [program(), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=patience, check=False, env={**os.environ, **(env or {})},
        preexec_fn=limit if descriptors else None,
    ))


class Tool:
    """A running testutil; its stdin and stdout are pipes unless told otherwise."""

    def __init__(self, *args, stdin=subprocess.PIPE, stdout=subprocess.PIPE):
        self.process = subprocess.Popen(
            [program(), *map(str, args)], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        self._buffer = bytearray()
        self._lines = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for raw in self.process.stderr:
            with self._news:
                self._lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._lines.append(None)
            self._news.notify_all()

    def lines(self):
        with self._news:
            return [line for line in self._lines if line is not None]

    def wait_for(self, pattern, count=1, deadline=None):
        """The match of the count-th line of stderr that fits the pattern."""
        deadline = deadline or Deadline()
        expression = re.compile(pattern)
        with self._news:
            while True:
                found = [m for m in map(expression.search, filter(None, self._lines)) if m]
                if len(found) >= count:
                    return found[count - 1]
                if deadline.passed() or self._lines[-1:] == [None]:
                    raise AssertionError(f"no line {count} fits {pattern!r}: {self._lines}")
                self._news.wait(deadline.remaining())

    def tcp_states(self):
        """The states of its IPv4 connections, from /proc/net/tcp."""
        pid = self.process.pid
        links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
        rows = pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        return [row.split()[3] for row in rows if f"socket:[{row.split()[9]}]" in links]

    def wait(self, patience=PATIENCE):
        """The exit code."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"testutil has not ended; stderr: {self.lines()}") from None
        self._reader.join(PATIENCE)
        text = "\n".join(self.lines())
        assert not _SANITIZER.search(text), text
        return code

    def expect(self, code, patience=PATIENCE):
        got = self.wait(patience)
        assert got == code, f"exit code: got {got}, want {code}; stderr: {self.lines()}"

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _read_more(self, deadline):
        """False at the end of stdout."""
        fd = self.process.stdout.fileno()
        ready, _, _ = select.select([fd], [], [], deadline.remaining())
        assert ready, f"stdout is silent after {self._buffer[:100]}; stderr: {self.lines()}"
        data = os.read(fd, 1 << 20)
        self._buffer += data
        return bool(data)

    def _take(self, size):
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return bytes(data)

    def receive(self, size):
        deadline = Deadline()
        while len(self._buffer) < size:
            assert self._read_more(deadline), f"stdout ended after {len(self._buffer)} bytes"
        return self._take(size)

    def receive_line(self):
        deadline = Deadline()
        while b"\n" not in self._buffer:
            assert self._read_more(deadline), f"stdout ended after {self._buffer[:100]}"
        return self._take(self._buffer.index(b"\n") + 1)

    def receive_to_end(self):
        deadline = Deadline()
        while self._read_more(deadline):
            pass
        return self._take(len(self._buffer))

    def end_stdin(self):
        self.process.stdin.close()

    def finish(self):
        """Kills the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


class Feeder(threading.Thread):
    """Writes a file into a pipe; keeps the pipe open until told to close it."""

    def __init__(self, path, stream):
        super().__init__(daemon=True)
        self.path = path
        self.stream = stream
        self.start()

    def run(self):
        with self.path.open("rb") as file:
            while data := file.read(1 << 16):
                try:
                    self.stream.write(data)
                except BrokenPipeError:
                    return
        self.stream.flush()

    def end(self):
        self.join(PATIENCE)
        assert not self.is_alive(), "the pipe takes no more"  # close() would wait for ever
        self.stream.close()


class Drain(threading.Thread):
    """Reads a pipe to its end; counts and hashes the bytes."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.size = 0
        self.hash = hashlib.sha256()
        self.start()

    def run(self):
        while data := self.stream.read1(1 << 16):
            self.hash.update(data)
            self.size += len(data)

    def digest(self):
        return self.hash.hexdigest()
