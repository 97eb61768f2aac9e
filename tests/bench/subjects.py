# SPDX-License-Identifier: MPL-2.0
"""What is compared: our relay, the reference, haproxy, and no relay; and how each is started."""

import contextlib
import ctypes
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

PATIENCE = 20.0
#: The host is unspecified if only proxies connect.
_URI = re.compile(rb"URI: relay://(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A server or the load generator has failed."""


def die_with_parent():
    """The process is killed when this script ends, even if that is killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        return True
    except OSError:
        return False


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"gave up waiting for {what}")
        time.sleep(0.005)


class Server:
    """A process that serves until it is stopped."""

    def __init__(self, name, command, log):
        self.name = name
        self.log = log
        self.port = None
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=die_with_parent,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def wait_until_serving(self, ready):
        def look():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended: {self.log.read_text(errors='replace')}")
            return ready()

        try:
            wait_until(look, f"{self.name} to serve")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Kills the process: a graceful stop takes time and is not tested here."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def cpu_seconds(self):
        """From the process's CPU clock (clock_getcpuclockid), which is finer than
        /proc/PID/stat."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def rss_kib(self):
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Rss:\s+(\d+)", text, re.MULTILINE).group(1))

    def settled_rss_kib(self, patience=3.0):
        """Waits until the value has not changed for half a second, or the time limit."""
        end = time.monotonic() + patience
        seen = [self.rss_kib()]
        while time.monotonic() < end:
            time.sleep(0.1)
            seen.append(self.rss_kib())
            if len(seen) > 5 and max(seen[-6:]) - min(seen[-6:]) < 64:
                break
        return seen[-1]


class Stage:
    """The folders of the servers, and functions that start them."""

    #: Begins the command of each server, as to bind it to a CPU.
    prefix = ()

    def __init__(self, build, ours=None, reference=None):
        self.folder = build / "compare"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.programs = {
            "ours": ours or str(build / "strelaysrv"),
            "reference": reference or "/usr/bin/strelaysrv",
        }
        self.started = 0

    @contextlib.contextmanager
    def on_cpu(self, cpu):
        """Servers that are started meanwhile have this CPU only, and know it."""
        self.prefix = ("taskset", "-c", str(cpu))
        try:
            yield
        finally:
            self.prefix = ()

    def _log(self, name):
        self.started += 1
        return self.folder / f"{self.started:03d}-{name}.log"

    def keys(self, name):
        folder = self.folder / f"keys-{name}"
        folder.mkdir(exist_ok=True)
        return folder

    def relay(self, name, *args, keys, port=None):
        """Starts ours or the reference with the keys in a folder, which may be empty."""
        # The reference cannot choose a port itself, and another process may take a free one first.
        for attempt in range(5):
            fixed = name == "reference" or port is not None
            listen, status = (free_port(), free_port()) if fixed else (0, 0)
            if port is not None:
                listen = port
            server = Server(name, [
                *self.prefix, self.programs[name], "-pools=", "-keys", str(keys),
                "-listen", f"127.0.0.1:{listen}", "-status-srv", f"127.0.0.1:{status}", *args,
                *(["-core-dumps"] if name == "ours" and os.geteuid() else []),  # for smaps
            ], self._log(name))
            server.port = listen
            if port is not None:
                return server
            try:
                return server.wait_until_serving(lambda: self._serves(server))
            except Failed:
                if attempt == 4:
                    raise
        raise AssertionError

    def relay_with(self, modules, sections, keys):
        """Ours with only these modules. sections: the text of their options; FOLDER stands for a
        folder of this script."""
        self.started += 1
        conf = self.folder / f"{self.started:03d}.conf"
        conf.write_text(f"modules = {{ {', '.join(modules)} }}\n"
                        + sections.replace("FOLDER", str(self.folder)) + "\n")
        return self.relay("ours", "-conf", str(conf), keys=keys)

    def transit(self, name, keys):
        """A transit relay of Magic Wormhole: ours, with the module for it, or Debian's."""
        port, log = free_port(), self._log(f"transit-{name}")
        if name == "ours":
            conf = log.with_suffix(".conf")
            conf.write_text(
                "modules = { log, bounds, wormhole-transit, relay, rate-limit, status }\n"
                f'listener "transit" {{ address = "127.0.0.1:{port}"  protocol = wormhole-transit }}\n')
            server = self.relay("ours", "-conf", str(conf), keys=keys)
        else:
            server = Server(name, ["/usr/bin/python3", "-m", "twisted", "transitrelay", "--port",
                                   f"tcp:{port}:interface=127.0.0.1"], log)
        server.port = port
        return server.wait_until_serving(lambda: accepts(port))

    @staticmethod
    def _serves(server):
        if server.port:
            return accepts(server.port)
        match = _URI.search(server.log.read_bytes())
        if match:
            server.port = int(match.group(1))
        return bool(match)

    def haproxy(self):
        """haproxy as a plain TCP proxy, with splice where possible: the cost of forwarding bytes
        alone."""
        self.backend_port = free_port()
        return self._haproxy(self.backend_port)

    def front(self, relay, option):
        """haproxy in front of a relay; `option`: of its line `server`."""
        return self._haproxy(relay.port, option)

    def _haproxy(self, backend_port, option=""):
        port, log = free_port(), self._log("haproxy")
        configuration = log.with_suffix(".cfg")
        configuration.write_text(proxy_configuration(
            f"127.0.0.1:{port}", f"127.0.0.1:{backend_port} {option}"))
        server = Server("haproxy", [*self.prefix, "/usr/sbin/haproxy", "-db", "-f", str(configuration)], log)
        server.port = port
        return server.wait_until_serving(lambda: accepts(port))


def proxy_configuration(listen, server):
    """Of haproxy, as a plain TCP proxy."""
    return f"""global
  maxconn 4000
defaults
  mode tcp
  option splice-auto
  option tcp-smart-accept
  timeout connect 10s
  timeout client 10m
  timeout server 10m
listen bench
  bind {listen}
  server load {server}
"""


def raise_descriptor_limit():
    """Raises the descriptor limit of this process and its children to the hard limit; returns
    it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def version_of(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        return (done.stdout + done.stderr).splitlines()[0].strip()
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine
