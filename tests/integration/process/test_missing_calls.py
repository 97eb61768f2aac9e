# SPDX-License-Identifier: MPL-2.0
"""A kernel, or a container's filter, without one of the system calls or socket options that the
server uses: a join and 10 MB pass, or the start says what is missing."""

import errno
import os
import pathlib
import signal
import threading

import pytest

import faults
import missing_calls
import relay_server
from pairing import Invited
from relay_server import Program
from waiting import wait_for

pytestmark = pytest.mark.skipif(missing_calls.why_not() is not None,
                                reason=f"{missing_calls.why_not()}")

OURS = Program("ours", 2)
ERRORS = [errno.ENOSYS, errno.EPERM, errno.EINVAL]
BYTES = os.urandom(10_000_000)

_SOL_SOCKET, _TCP, _V6 = 1, 6, 41


def option(call, level, name):
    return f"{call}:1={level},2={name}"


#: What the server does without.
DISPENSABLE = {
    "splice": ["splice"],
    "pipes for splice": ["pipe2:1=526336"],  # O_CLOEXEC | O_NONBLOCK
    "accept4": ["accept4"],
    "close_range": ["close_range"],
    "writev": ["writev"],
    "readv": ["readv"],
    "readlink": ["readlink", "readlinkat"],
    "access": ["access", "faccessat", "faccessat2"],
    "prctl-parent": ["prctl:0=1"],
    "sched_getaffinity": ["sched_getaffinity"],
    "sigaltstack": ["sigaltstack"],
    "timerfd": ["timerfd_create"],
    "epoll_create1": ["epoll_create1"],
    "madvise": ["madvise"],
    "mlock": ["mlock", "mlock2"],
    "rlimit-set": ["setrlimit"],
    "membarrier": ["membarrier"],
    "getrusage": ["getrusage"],
    "sysinfo": ["sysinfo"],
    "memfd_create": ["memfd_create"],
    "landlock": ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
    "rseq": ["rseq"],
    "statx": ["statx"],
    "FIONREAD": ["ioctl:1=21531"],
    "SIOCOUTQ": ["ioctl:1=21521"],
    "F_SETPIPE_SZ": ["fcntl:1=1031", "fcntl64:1=1031"],
    "MSG_TRUNC": ["recvfrom:3&32"],
    "SO_REUSEPORT": [option("setsockopt", _SOL_SOCKET, 15)],
    "SO_ATTACH_FILTER": [option("setsockopt", _SOL_SOCKET, 26)],
    "SO_BUF_LOCK": [option("setsockopt", _SOL_SOCKET, 72)],
    "SO_RCVBUF": [option("setsockopt", _SOL_SOCKET, 8)],
    "SO_SNDBUF": [option("setsockopt", _SOL_SOCKET, 7)],
    "SO_RCVLOWAT": [option("setsockopt", _SOL_SOCKET, 18)],
    "SO_KEEPALIVE": [option("setsockopt", _SOL_SOCKET, 9)],
    "SO_LINGER": [option("setsockopt", _SOL_SOCKET, 13)],
    "SO_MEMINFO": [option("getsockopt", _SOL_SOCKET, 55)],
    "TCP_NODELAY": [option("setsockopt", _TCP, 1)],
    "TCP_KEEPIDLE": [option("setsockopt", _TCP, 4)],
    "TCP_KEEPINTVL": [option("setsockopt", _TCP, 5)],
    "TCP_USER_TIMEOUT": [option("setsockopt", _TCP, 18)],
    "TCP_WINDOW_CLAMP": [option("setsockopt", _TCP, 10)],
    "TCP_LINGER2": [option("setsockopt", _TCP, 8)],
    "TCP_INFO": [option("getsockopt", _TCP, 11)],
}

#: What a start may fail without, if it says so.
NEEDED = {
    "accept": ["accept4", "accept"],
    "recv": ["recvfrom"],
    "send": ["sendto"],
    "sigaction": ["rt_sigaction"],
    "clone": ["clone3", "clone"],
    "fork": ["clone:0&17"],  # SIGCHLD
    "pipe": ["pipe2", "pipe"],
    "epoll_create": ["epoll_create1", "epoll_create"],
    "epoll_ctl": ["epoll_ctl"],
    "epoll_wait": ["epoll_wait", "epoll_pwait", "epoll_pwait2"],
    "eventfd": ["eventfd2", "eventfd"],
    "getrandom": ["getrandom"],
    "prctl": ["prctl"],
    "poll": ["poll", "ppoll", "ppoll_time64"],
    "waitpid": ["wait4", "waitpid"],
    "rlimit": ["prlimit64", "setrlimit"],
    "SO_REUSEADDR": [option("setsockopt", _SOL_SOCKET, 2)],
    "linkat": ["linkat"],  # new keys are written with them
    "linkat and renameat2": ["linkat", "renameat2"],
    "fsync": ["fsync"],
    "getdents64": ["getdents64"],
    "getsockname": ["getsockname"],
    "setsockopt": ["setsockopt"],
    "fcntl": ["fcntl", "fcntl64"],
    "dup": ["dup", "dup2", "dup3"],
    "socketpair": ["socketpair"],
}


#: A sanitizer ends the process without them.
SANITIZERS_NEED = {"sched_getaffinity", "sigaltstack", "waitpid", "rlimit", "readlink", "sigaction"}


def begin(start, tmp_path, what, calls, error):
    if what in SANITIZERS_NEED and faults.sanitized():
        pytest.skip(f"a sanitizer needs what is refused here: {what}")
    conf = tmp_path / "relay.conf"
    conf.write_text("modules = { log, bounds, relay, rate-limit, status }\n")
    return start(OURS, "-conf", conf, prefix=missing_calls.prefix(error, calls), wait=False)


def transfer(source, sink):
    sender = threading.Thread(target=source.send_bytes, args=(BYTES,), daemon=True)
    sender.start()
    assert sink.receive_bytes(len(BYTES)) == BYTES
    sender.join()


def check_it_serves(server, identities):
    server.wait_until_serving()
    with Invited(server, *identities[:2]) as invited:
        asker, target = invited.join_both()
        transfer(asker, target)
        transfer(target, asker)
    assert server.status()["numActiveSessions"] >= 0
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("what", DISPENSABLE)
def test_it_serves_without(start, tmp_path, identities, what):
    for error in ERRORS:
        server = begin(start, tmp_path, what, DISPENSABLE[what], error)
        check_it_serves(server, identities)
        if what.startswith("splice"):
            assert server.count(r"warning core: splice\(2\) is refused") == 1, server.log()


@pytest.mark.parametrize("first", [1, 2, 7])
def test_bytes_in_a_pipe_are_not_lost_when_splice_is_refused_later(
        start, tmp_path, identities, first):
    """A security module may be loaded while the server runs.  Every second call takes bytes from
    the pipe."""
    fault = faults.Faults(tmp_path)
    server = start(OURS, env=fault.environment)
    with Invited(server, *identities[:2]) as invited:
        asker, target = invited.join_both()
        transfer(asker, target)
        fault.begin(faults.SPLICE, first, length=0, error=errno.EACCES)
        transfer(asker, target)
        assert fault.failed > 0
        fault.end()
        transfer(target, asker)
    assert server.count(r"warning core: splice\(2\) is refused: Permission denied") == 1


def thread_of(server, name):
    """The number of the server's thread of that name."""
    for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread {name}")


@pytest.mark.parametrize("thread", ["strelaysrv", "worker 1"])
def test_a_loop_that_cannot_wait_ends_the_server(tmp_path, relay_keys, thread):
    fault = faults.Faults(tmp_path)
    server = relay_server.start(OURS, tmp_path, keys=relay_keys, env=fault.environment)
    fault.begin(faults.EPOLL, 1, length=0, error=errno.EINVAL, thread=thread_of(server, thread))
    try:
        if thread == "strelaysrv":
            assert server.wait_for_exit() == 1
            assert "error core: the control loop failed" in server.log()
        else:
            assert server.wait_for_exit() == -signal.SIGABRT
            assert ": the event loop of a worker has failed" in server.log()
    finally:
        server.process.kill()


def uri_or_end(server):
    """Waits until a server serves, or has ended.  Returns whether it serves."""
    wait_for(lambda: server.count("URI: relay://") or not server.running(),
             lambda: f"the server to serve or to end; its log:\n{server.log()}")
    return server.running()


@pytest.mark.parametrize("what", NEEDED)
def test_it_serves_or_says_what_is_missing(tmp_path, relay_keys, identities, what):
    def start(*args, **options):
        return relay_server.start(args[0], tmp_path, *args[1:], keys=keys, **options)

    keys = relay_keys
    for error in ERRORS:
        if NEEDED[what][0] in ("linkat", "fsync"):
            keys = tmp_path / os.strerror(error)
            keys.mkdir()
        server = begin(start, tmp_path, what, NEEDED[what], error)
        try:
            if uri_or_end(server):
                check_it_serves(server, identities)
            else:
                assert server.wait_for_exit() == 1, server.log()
                assert server.count(f" error core: .*: {os.strerror(error)}"), server.log()
        finally:
            server.process.kill()


def test_without_poll_the_log_is_written(start, identities):
    """Without a configuration file: to read one, the server needs it."""
    calls = ["poll", "ppoll"]
    check_it_serves(start(OURS, prefix=missing_calls.prefix(errno.ENOSYS, calls), wait=False),
                    identities)


def test_commands_are_answered_without_accept4(start, tmp_path):
    conf, path = tmp_path / "relay.conf", tmp_path / "control.sock"
    conf.write_text(f'modules = {{ log, relay, control }}\ncontrol {{ socket = "{path}" }}\n')
    for error in ERRORS:
        server = start(OURS, "-conf", conf, prefix=missing_calls.prefix(error, ["accept4"]))
        done = relay_server.run(OURS, "-conf", conf, "-ctl", "status")
        assert done.returncode == 0, done.stderr
        assert server.stop() == 0, server.log()


@pytest.mark.parametrize("call, what", [("readv", "read from"), ("writev", "write to")])
def test_commands_need_vectors_and_say_so(start, tmp_path, call, what):
    conf, path = tmp_path / "relay.conf", tmp_path / "control.sock"
    conf.write_text(f'modules = {{ log, relay, control }}\ncontrol {{ socket = "{path}" }}\n')
    server = start(OURS, "-conf", conf, prefix=missing_calls.prefix(errno.ENOSYS, [call]))
    done = relay_server.run(OURS, "-conf", conf, "-ctl", "status")
    assert done.returncode != 0, done.stdout
    server.wait_for_log(f"warning control: cannot {what} a client: {os.strerror(errno.ENOSYS)}")
