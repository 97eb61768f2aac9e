# SPDX-License-Identifier: MPL-2.0
"""Relay servers as processes: which program, and how it is started, watched and stopped."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.parse

from privileges import flags_to_be_seen
from waiting import PATIENCE, SLOWNESS, Deadline, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]

_URI = re.compile(r"URI: (relay://\S+)")
_SANITIZER = re.compile(
    r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|LeakSanitizer: detected|runtime error:"
    r"|WARNING: ThreadSanitizer|ERROR: MemorySanitizer"
)
_PORT_ATTEMPTS = 10

#: The limit of descriptors for servers whose test sets none.  None: the machine's limit.
DESCRIPTORS = int(os.environ.get("TEST_DESCRIPTORS", "0")) or None


@dataclasses.dataclass(frozen=True)
class Program:
    """The executable of a relay server, and how it differs from the other one."""

    kind: str  # "ours" or "reference"
    workers: int = 0  # 0: the program chooses

    @property
    def ours(self):
        return self.kind == "ours"

    @property
    def path(self):
        if self.ours:
            path = os.environ.get("STRELAYSRV", str(ROOT / "build" / "strelaysrv"))
        else:
            path = os.environ.get("STRELAYSRV_REFERENCE")
            path = path or shutil.which("strelaysrv") or "/usr/bin/strelaysrv"
        assert os.access(path, os.X_OK), (
            f"no executable {path}: "
            + ("build it, or set STRELAYSRV" if self.ours else
               "install syncthing-relaysrv, set STRELAYSRV_REFERENCE, or pass --only ours")
        )
        return path

    def __str__(self):
        return f"{self.kind}-{self.workers}" if self.workers else self.kind


def run(program, *args, cwd=None, env=None):
    """Runs a server that must end by itself; returns the finished process.

    By default it runs in an empty folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [program.path, *args], cwd=cwd or folder, env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False,
        )


def module_folder():
    """Where the build leaves the modules of our server."""
    return pathlib.Path(Program("ours").path).resolve().parent / "modules"


def free_port(host="127.0.0.1"):
    """A port that was free a moment ago, for servers that cannot choose one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        return sock.getsockname()[1]


def split_address(text):
    """Host and port of `host:port`, `:port`, `[v6]:port`."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _reachable(host, port):
    """Replaces a wildcard address by the loopback address."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def _accepts(address):
    try:
        socket.create_connection(address, timeout=PATIENCE).close()
        return True
    except ConnectionRefusedError:
        return False


def _with_free_port(address):
    """Replaces port 0 of the address by a free port."""
    host, port = split_address(address)
    if port:
        return address
    return f"{address.rpartition(':')[0]}:{free_port(host or '::')}"


class RelayServer:
    """A running server: its URI, its log so far, its descriptors, its status."""

    def __init__(self, program, command, cwd, listen=None, descriptors=None, env=None,
                 pass_fds=()):
        descriptors = descriptors or DESCRIPTORS

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        if program.ours and not any(str(word).startswith("-core-dumps") for word in command):
            command = [*command, *flags_to_be_seen()]
        if program.ours and os.environ.get("TEST_CRYPTO") and "-crypto" not in command:
            command = [*command, "-crypto", os.environ["TEST_CRYPTO"]]
        self.program = program
        self.command = command
        self.uri = None
        self._listen = listen
        self._lines = []
        self._news = threading.Condition()
        self._ended = False
        self._may_read_log = threading.Event()
        self._may_read_log.set()
        self.process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=limit if descriptors else None, pass_fds=pass_fds,
        )
        self._output = os.readlink(f"/proc/self/fd/{self.process.stderr.fileno()}")
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr, True), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stdout, False), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _keep(self, line):
        self._lines.append(line)

    def _read(self, stream, is_log):
        for raw in stream:
            if is_log:
                self._may_read_log.wait()
                with self._news:
                    self._keep(raw.decode(errors="replace").rstrip("\n"))
                    self._news.notify_all()
        if is_log:
            with self._news:
                self._ended = True
                self._news.notify_all()
        stream.close()

    # The log.

    @contextlib.contextmanager
    def log_unread(self):
        """Nobody reads the log meanwhile."""
        self._may_read_log.clear()
        try:
            yield
        finally:
            self._may_read_log.set()

    def log(self):
        """Everything written to stderr so far."""
        with self._news:
            return "\n".join(self._lines)

    def wait_for_log(self, pattern, deadline=None):
        """The match of the first line that fits the pattern; waits for it if necessary."""
        deadline = deadline or Deadline()
        expression = re.compile(pattern)
        seen = 0
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    match = expression.search(line)
                    if match:
                        return match
                seen = len(self._lines)
                if self._ended or deadline.passed():
                    raise AssertionError(
                        f"no line of the log fits {pattern!r}"
                        + (" (the server has ended)" if self._ended else "")
                        + "; the log:\n" + "\n".join(self._lines[:20] + self._lines[20:][-40:])
                    )
                self._news.wait(deadline.remaining())

    def count(self, pattern):
        """How many lines of the log match the pattern."""
        return sum(bool(re.search(pattern, line)) for line in self.log().splitlines())

    def held_up(self):
        """How many calls have held up a thread. With a sanitizer a busy machine does that itself."""
        return self.count("held up the control thread|has not run its loop") * (SLOWNESS == 1)

    def wait_for_count(self, pattern, count):
        wait_for(
            lambda: self.count(pattern) >= count,
            lambda: f"{count} lines like {pattern!r}; the log:\n{self.log()}",
        )

    def reload(self):
        """Reloads; returns whether that succeeded, and what was logged during the reload."""
        before = len(self.log())
        done = self.count("core: (not )?reloaded")
        self.send_signal(signal.SIGHUP)
        self.wait_for_count("core: (not )?reloaded", done + 1)
        news = self.log()[before:]
        return "core: reloaded" in news, news

    # Addresses.

    def wait_until_serving(self):
        """Ours logs the URI when it serves; the reference logs it a moment earlier."""
        self.uri = self.wait_for_log(_URI.pattern).group(1)
        if not self.program.ours:
            wait_for(lambda: _accepts(self.address), f"{self.program} to listen")
            if self.query.get("statusAddr"):
                wait_for(lambda: _accepts(self.status_address), f"{self.program}'s status")
        return self

    @property
    def query(self):
        """The fields of the URI's query; each must occur once."""
        pairs = urllib.parse.parse_qsl(
            urllib.parse.urlsplit(self.uri).query, keep_blank_values=True
        )
        return dict(pairs)

    @property
    def address(self):
        """The address to connect to: the listen option or, for port 0, the URI."""
        if self._listen and split_address(self._listen)[1]:
            return _reachable(*split_address(self._listen))
        return _reachable(*split_address(urllib.parse.urlsplit(self.uri).netloc))

    def stay_at(self, address):
        """Keeps this `address`, whatever URIs are logged later."""
        self._listen = f"{address[0]}:{address[1]}"

    @property
    def status_address(self):
        return _reachable(*split_address(self.query["statusAddr"]))

    def get(self, path, method="GET", headers=None):
        """Fetches from the status address: (status, headers, body)."""
        connection = http.client.HTTPConnection(*self.status_address, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def status(self):
        code, _, body = self.get("/status")
        assert code == 200, f"/status: got {code}, want 200: {body[:200]!r}"
        return json.loads(body)

    def wait_for_status(self, condition, what):
        """Waits for a status that fulfils the condition; returns it."""
        last = {}

        def look():
            last.update(self.status())
            return condition(last)

        wait_for(look, lambda: f"{what}; last status: {last}")
        return last

    # Resources.

    @property
    def pid(self):
        return self.process.pid

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait_for_descriptors(self, most, deadline=None):
        """Waits until no more than `most` descriptors are open."""
        wait_for(
            lambda: self.descriptors() <= most,
            lambda: f"{most} open descriptors at most; there are {self.descriptors()}",
            deadline,
        )

    def listening_sockets(self, pid=None):
        """The process's listening sockets: {inode: TCP port}."""
        own, pid = set(), pid or self.pid
        for link in os.scandir(f"/proc/{pid}/fd"):
            try:
                own.add(os.readlink(link.path))
            except FileNotFoundError:
                continue
        found = {}
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                    found[int(fields[9])] = int(fields[1].rpartition(":")[2], 16)
        return found

    def listening_ports(self):
        """The TCP ports on which the process listens."""
        return set(self.listening_sockets().values())

    def cpu_seconds(self):
        """User and system CPU time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # The end of the process.

    def running(self):
        return self.process.poll() is None

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait_for_exit(self):
        """Waits until all output was read; returns the exit code."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.program} has not ended after {PATIENCE:.0f} s; its log:\n{self.log()}"
            ) from None
        self._end_successors()
        for reader in self._readers:
            reader.join(PATIENCE)
            assert not reader.is_alive(), (
                f"a process that {self.program} has started still has its output; the log:\n"
                f"{self.log()}")
        return code

    def _end_successors(self):
        """Stops the processes that have taken over in upgrades, unless the test has done so."""
        for pid in map(int, re.findall(r"core: .*process (\d+) serves; this one", self.log())):
            with contextlib.suppress(OSError):  # it has ended
                if os.readlink(f"/proc/{pid}/fd/2") == self._output:
                    os.kill(pid, signal.SIGTERM)

    def stop(self, number=signal.SIGTERM):
        """Sends a signal and returns the exit code."""
        if self.running():
            self.send_signal(number)
        return self.wait_for_exit()

    def finish(self):
        """Stops the server after a test; fails if something was wrong (exit code, sanitizer,
        leak)."""
        died = self.process.poll()
        if not self.program.ours:
            self.process.kill()  # its stop takes half a second and is not tested
            self.wait_for_exit()
            assert died in (None, 0), f"{self.program} ended with {died}; its log:\n{self.log()}"
            return
        try:
            code = self.stop()
        finally:
            if self.running():
                self.process.kill()
                self.wait_for_exit()
        finding = _SANITIZER.search(self.log())
        assert not finding, f"{self.program} reports {finding.group()}:\n{self.log()}"
        when = "during the test" if died is not None else "after SIGTERM"
        assert code == 0, (
            f"{self.program} ended {when} with {code}, want 0; its log:\n{self.log()}"
        )


def start(program, folder, *args, keys=None, listen="127.0.0.1:0", status="127.0.0.1:0",
          pools="", pick_ports=False, wait=True, prefix=(), **options):
    """Starts a server in its own folder.  Waits until it serves, unless told otherwise.

    `prefix` is a command that runs the server's, and becomes it.

    With port 0 the server chooses.  The reference cannot, so it gets free ports.  So does ours with
    pick_ports, for a URI without the listen address.  Further arguments override the defaults,
    because the last of equal flags counts."""
    pick_ports = pick_ports or not program.ours
    for attempt in range(_PORT_ATTEMPTS):
        here = _with_free_port(listen) if pick_ports and listen else listen
        fixed = {
            "-keys": str(keys or folder),
            "-pools": pools,
            "-listen": here,
            "-status-srv": _with_free_port(status) if pick_ports and status else status,
            "-workers": str(program.workers) if program.workers else None,
        }
        command = [*map(str, prefix), program.path]
        for flag, value in fixed.items():
            if value is not None:
                command += [flag, value]
        server = RelayServer(program, command + list(map(str, args)), folder, here, **options)
        try:
            return server.wait_until_serving() if wait else server
        except AssertionError:
            taken = "address already in use" in server.log().lower()
            if server.running():
                server.process.kill()
            server.wait_for_exit()
            if not (pick_ports and taken) or attempt == _PORT_ATTEMPTS - 1:
                raise
