# SPDX-License-Identifier: MPL-2.0
"""A server that is started without standard descriptors, or with small limits for files and
stacks."""

import os
import pathlib
import resource
import signal
import subprocess

import pytest

import faults
import name_server
import relay_server
from module_server import ModuleServer
from name_server import names  # noqa: F401
from pairing import Invited, check_both_ways
from privileges import flags_to_be_seen
from relay_server import Program, free_port, split_address
from waiting import PATIENCE, wait_for

CLOSED = {"all": "<&- >&- 2>&-", "input": "<&-", "output": ">&-", "errors": "2>&-"}
MODULES = "modules = {{ log, bounds, relay, rate-limit, status }}\nlog {{ target = file\n" \
          "file = \"{}\" }}\n"


class Detached:
    """Enough of a server for Invited: its log is a file, because it may have no stderr."""

    def __init__(self, folder, keys, closed):
        self.program = Program("ours", 2)
        self.file = pathlib.Path(folder) / "relay.log"
        conf = pathlib.Path(folder) / "relay.conf"
        conf.write_text(MODULES.format(self.file))
        command = [self.program.path, "-conf", str(conf), "-keys", str(keys), "-pools", "",
                   "-listen", "127.0.0.1:0", "-status-srv", "127.0.0.1:0", "-workers", "2",
                   *flags_to_be_seen()]
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" {closed}', *command], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log(self):
        return self.file.read_text() if self.file.exists() else ""

    @property
    def address(self):
        def find():
            assert self.process.poll() is None, f"ended with {self.process.poll()}: {self.log()}"
            return [line for line in self.log().splitlines() if "listening on " in line]

        line = wait_for(find, lambda: f"the server to listen; its log:\n{self.log()}")[0]
        host, port = line.rpartition("listening on ")[2].split(":")
        return host, int(port)


@pytest.mark.parametrize("closed", CLOSED)
def test_it_runs_without_standard_descriptors(tmp_path, relay_keys, identities, closed):
    server = Detached(tmp_path, relay_keys, CLOSED[closed])
    try:
        with Invited(server, *identities[:2]) as invited:
            check_both_ways(*invited.join_both())
        for number in (0, 1, 2):
            target = os.readlink(f"/proc/{server.process.pid}/fd/{number}")
            assert target == "/dev/null", f"descriptor {number} is {target}"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0, server.log()
    finally:
        server.process.kill()
        server.process.wait()


def limited(which, value):
    """The first words of a command that runs another one with a limit, in KiB for stacks and in
    bytes for files."""
    return ["prlimit", f"--{which}={value}:{value}"]


def test_a_file_that_may_not_grow_is_told_of(tmp_path, relay_keys, identities):
    """What the log cannot write into its file is reported on stderr."""
    log, numbers = tmp_path / "relay.log", tmp_path / "numbers.csv"
    server = ModuleServer(tmp_path, relay_keys, ["log", "relay", "csv-exporter"], sections={
        "log": {"target": "file", "file": log},
        "csv-exporter": {"file": numbers, "interval": "1s"}})
    try:
        wait_for(lambda: log.exists() and "ready, with modules" in log.read_text(), "the start")
        most = log.stat().st_size + 100
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))
        line = next(line for line in log.read_text().splitlines() if "listening on" in line)
        server.stay_at(("127.0.0.1", int(line.rpartition(":")[2])))

        def reload_again():
            server.send_signal(signal.SIGHUP)
            return server.count("log: cannot write to the file: File too large")

        wait_for(reload_again, lambda: f"the loss to be told; the log:\n{server.log()}")
        assert log.stat().st_size <= most
        with Invited(Addressed(server), *identities[:2]) as invited:
            check_both_ways(*invited.join_both())
        assert server.stop() == 0
    finally:
        server.process.kill()


def test_output_that_does_not_fit_into_a_file_is_an_error(tmp_path, our_program):
    """Other than threads, the first one does not block the signal of it."""
    with open(tmp_path / "output", "wb") as output:
        done = subprocess.run([*limited("fsize", 0), our_program.path, "-check", "-pools", "",
                               "-keys", str(tmp_path), "-listen", "127.0.0.1:0", "-status-srv="],
                              stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "cannot write to stdout: File too large" in done.stderr


class Addressed:
    """A server that keeps its address, for Invited."""

    def __init__(self, server):
        self.program = server.program
        self.address = ("127.0.0.1", split_address(server._listen)[1])


@pytest.mark.skipif(faults.sanitized(), reason="sanitizers need larger stacks")
@pytest.mark.parametrize("kib", [64, 128, 1048576])
def test_stacks_do_not_follow_the_limit(start, our_program, tmp_path, identities, kib):
    """The main thread's stack does follow it, and must suffice for a start, a reload and a stop."""
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, bounds, relay, access, quota, rate-limit, status, "
                    "prometheus, dashboard }\n")
    server = start(our_program, "-conf", conf, prefix=limited("stack", kib * 1024))
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())
        done, news = server.reload()
        assert done, news
        assert server.get("/metrics")[0] == 200
        assert server.get("/status")[0] == 200
        invited.ask()
        check_both_ways(*invited.join_both())


@name_server.needed
@pytest.mark.skipif(faults.sanitized(), reason="sanitizers need larger stacks")
def test_threads_of_libraries_have_stacks_that_suffice(start, our_program, names):  # noqa: F811
    """libcurl looks names up on threads of its own."""
    names.address = "127.0.0.1"
    server = start(our_program, "-pools", f"http://pool.test:{free_port()}/endpoint",
                   prefix=[*limited("stack", 65536), *names.prefix()])
    server.wait_for_log("Failed to join pool")
    assert names.asked and server.stop() == 0, server.log()


@pytest.mark.parametrize("variable", ["TZ=:{}", "TZ={}", "OPENSSL_CONF={}"])
def test_a_pipe_that_a_library_would_read_is_refused(tmp_path, variable):
    """It would be read before the server can log what it waits for."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    name, _, value = variable.format(pipe).partition("=")
    done = relay_server.run(Program("ours"), "-version", env={**os.environ, name: value})
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (f"strelaysrv: the variable {name} names {pipe}, which is a pipe: it "
                           "must be a file\n")


@pytest.mark.parametrize("path", ["/dev/null", "/", "/nowhere"])
def test_other_files_are_left_to_the_libraries(start, identities, path):
    """Some set OPENSSL_CONF to /dev/null, so that the system's file is not read."""
    server = start(Program("ours", 1), env={**os.environ, "TZ": path, "OPENSSL_CONF": path})
    with Invited(server, *identities[:2]) as invited:
        check_both_ways(*invited.join_both())
