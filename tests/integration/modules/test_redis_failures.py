# SPDX-License-Identifier: MPL-2.0
"""What the module cluster's registry does when Redis is away, slow, empty, full, or refuses: each
loss is told once with its reason, what is under way is answered, and all goes on when it is over."""

import contextlib
import signal
import socket
import threading

import pytest

import redis_rights
from held_forwarder import Forwarder
from redis_server import start_redis  # noqa: F401
from registry_driver import driver, padded  # noqa: F401
from waiting import wait_for

NONE = ["0:0", "0:0"]
ENTRY = f"st:{{test}}:d:{padded('dev')}"
#: All that a node needs.
RIGHTS = " ".join(word for word in redis_rights.rights() if word.startswith("+"))


@pytest.fixture
def redis(start_redis):
    return start_redis()


def _works(driver, name="a", device="another"):
    assert driver.ask("join", name, device, 0)[1] != "0:0"
    driver.ask("lease", name, "lease", 10000)
    wait_for(lambda: driver.seen(f"{name} received lease"), "its own lease")


def _away_once(driver, name="a"):
    assert len(driver.seen(f"{name} away")) == 1, driver.lines


def test_a_server_that_ends_and_comes_back_empty(driver, redis):
    driver.open_and_wait("a", 1, redis.address)
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    redis.kill()
    assert redis.address in driver.wait("a away")
    for words in (["join", "a", "dev", 0], ["release", "a", "dev"], ["find", "a", "dev", 1, "x"],
                  ["send", "a", 0, "x"], ["lease", "a", "x", 1], ["lease_end", "a"],
                  ["lease_all", "a"], ["identify", "a", "x"]):
        driver.refuses(*words)
    redis.start()
    assert driver.wait("a back") == "a back"
    assert driver.ask("check", "a", "dev", 1) == ["0:0", "1:1"]
    _works(driver)
    _away_once(driver)
    assert driver.counts("a")["connects"] == 2


def test_a_server_that_starts_later(driver, redis):
    redis.kill()
    driver.open("a", 1, redis.address)
    driver.wait("a away")
    driver.refuses("join", "a", "dev", 0)
    redis.start()
    driver.wait("a back")
    _works(driver)
    _away_once(driver)


def test_a_lost_connection_to_the_same_server_is_whole(driver, redis):
    driver.open_and_wait("a", 1, redis.address)
    driver.ask("join", "a", "dev", 0)
    for kind in ("normal", "pubsub"):
        redis.call("CLIENT", "KILL", "TYPE", kind)
        driver.wait("a away")
        assert driver.wait("a back") == "a back whole"
        assert driver.ask("check", "a", "dev", 1) == ["1:1", "1:1"]
        _works(driver)
    assert len(driver.seen("a away")) == 2


def test_what_is_under_way_is_answered_before_away(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=60000)
    redis.stop()
    driver.do("join a dev 0")
    driver.do("find a dev 7 hello")
    driver.wait("a find 0")
    redis.kill()
    assert driver.wait("a claimed").split()[3:] == NONE
    driver.wait("a found 7 unknown")
    driver.wait("a away")
    told = [line.split()[1] for line in driver.lines if line.split()[1] in
            ("claimed", "found", "away")]
    assert told == ["claimed", "found", "away"]
    assert driver.counts("a")["unanswered"] == 2


def test_a_slow_server_is_not_asked_for_a_while(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=200)
    driver.ask("join", "a", "dev", 0)
    redis.stop()
    driver.do("join a dev 0")
    driver.do("find a dev 1 hello")
    assert driver.wait("a claimed").split()[3:] == NONE
    driver.wait("a found 1 unknown")
    assert "has not answered for 200 ms" in driver.wait("a away")
    driver.refuses("join", "a", "dev", 0)
    redis.go_on()
    since = int(driver.wait("a at ").split()[-1])  # that of the first back
    since = int(driver.wait("a at ").split()[-1])
    assert driver.wait("a back") == "a back whole"
    assert int(driver.wait("a at ").split()[-1]) - since >= 1000
    # The join that was given up has reached it all the same.
    assert driver.ask("check", "a", "dev", 1) == ["1:2", "1:2"]
    _works(driver)
    _away_once(driver)
    counts = driver.counts("a")
    assert counts["slow"] == 1 and counts["connects"] == 1 and counts["unanswered"] == 2


def test_a_server_that_hangs_is_left(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=200, connect=300)
    driver.ask("join", "a", "dev", 0)
    redis.stop()
    driver.wait("a away")
    driver.wait("a log 1")
    wait_for(lambda: driver.seen("does not answer any more"), "that it is given up")
    # It accepts connections, as the kernel does for it.
    wait_for(lambda: driver.seen("accepts a connection, but does not answer"), "a try")
    redis.go_on()
    assert driver.wait("a back") == "a back whole"
    assert driver.ask("check", "a", "dev", 1) == ["1:1", "1:1"]
    _works(driver)
    _away_once(driver)


@pytest.mark.parametrize("word", [b"SUBSCRIBE", b"SCRIPT"])
def test_a_connection_that_is_half_open_is_found(driver, redis, word):
    forwarder = Forwarder(redis.socket)
    try:
        driver.open_and_wait("a", 1, forwarder.address)
        forwarder.hold(word)
        driver.wait("a away")
        wait_for(lambda: driver.seen("does not answer any more"), "that it is given up")
        forwarder.release()
        assert driver.wait("a back") == "a back whole"
        _works(driver)
        _away_once(driver)
    finally:
        forwarder.close()


def test_an_idle_connection_is_kept(driver, redis):
    driver.open_and_wait("a", 1, redis.address)
    wait_for(lambda: " age=5 " in redis.call("CLIENT", "LIST", "TYPE", "pubsub"),
             "a longer time than a server's that is away")
    _works(driver)
    assert not driver.seen("a away")


def test_a_process_that_was_stopped_has_lost_nothing(driver, redis):
    driver.open_and_wait("a", 1, redis.address, answer=200)
    driver.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: " idle=5 " in redis.call("CLIENT", "LIST", "TYPE", "pubsub"),
                 "a longer silence than a server's that is away")
        redis.call("PUBLISH", "st:{test}:all", "meanwhile")
    finally:
        driver.process.send_signal(signal.SIGCONT)
    driver.wait("a received meanwhile")
    _works(driver)
    assert not driver.seen("a away")


def test_scripts_that_were_flushed_are_sent_again(driver, redis):
    driver.open_and_wait("a", 1, redis.address)
    redis.call("SCRIPT", "FLUSH")
    assert driver.ask("join", "a", "dev", 0) == NONE
    assert "forgotten the scripts" in driver.wait("a away")
    assert driver.wait("a back") == "a back whole"
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]
    _away_once(driver)
    assert driver.counts("a")["script"] == 1


@pytest.mark.parametrize("value", [["RPUSH", ENTRY, "x"], ["SET", ENTRY, "15 bytes long.."],
                                   ["SET", ENTRY, ""]])
def test_a_foreign_value_harms_one_device_only(driver, redis, value):
    driver.open_and_wait("a", 1, redis.address)
    redis.call(*value)
    driver.do("join a first 0")
    driver.do("join a dev 0")
    driver.do("join a last 0")
    got = [driver.wait("a claimed ").split()[3:] for _ in range(3)]
    assert got == [["0:0", "1:1"], NONE, ["0:0", "1:1"]]
    assert "somebody else's value" in driver.wait("a log 1")
    assert driver.ask("check", "a", "dev", 5) == NONE
    assert driver.ask("find", "a", "dev", 1, "x") == "unknown"
    driver.ask("release", "a", "first")
    _works(driver)
    assert driver.counts("a")["type"] == 3
    # One line for all three; and the value is left alone.
    assert len(driver.seen("somebody else's value")) == 1
    assert redis.call("EXISTS", ENTRY) == "1"
    assert not driver.seen("a away")


def test_foreign_values_of_other_keys(driver, redis):
    redis.call("SET", "st:{test}:nodes", "x")
    redis.call("SET", "st:{test}:relay", "short")
    redis.call("RPUSH", f"st:{{test}}:node:{1:016x}", "x")
    driver.open_and_wait("a", 1, redis.address)
    driver.ask("lease", "a", "lease", 10000)
    driver.ask("lease_all", "a")
    driver.do("identify a relay")
    wait_for(lambda: driver.counts("a")["reply"] == 1, "the ID that is none")
    assert driver.counts("a")["type"] == 2
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


def test_a_full_server_stores_nothing_more(driver, redis):
    driver.open_and_wait("a", 1, redis.address)
    driver.ask("join", "a", "dev", 0)
    redis.call("CONFIG", "SET", "maxmemory", "1")
    assert driver.ask("join", "a", "new", 0) == NONE
    assert "maxmemory" in driver.wait("a log 1")
    driver.ask("lease", "a", "lease", 1000)
    # What needs no memory goes on.
    assert driver.ask("find", "a", "dev", 1, "x") == "ours"
    driver.ask("release", "a", "dev")
    assert driver.ask("find", "a", "dev", 2, "x") == "nobody"
    counts = driver.counts("a")
    assert counts["memory"] == 2 and len(driver.seen("maxmemory")) == 1
    redis.call("CONFIG", "SET", "maxmemory", "0")
    assert driver.ask("join", "a", "new", 0) == ["0:0", "1:1"]
    assert not driver.seen("a away")


@pytest.mark.parametrize("command", ["EVALSHA", "SCRIPT"])
def test_renamed_commands_are_named(driver, start_redis, command):
    redis = start_redis(f'rename-command {command} ""')
    driver.open("a", 1, redis.address)
    line = driver.wait("a away")
    assert "refuses scripts" in line and command in line
    assert driver.counts("a")["rights"] >= 1


def test_renamed_commands_that_are_not_needed(driver, start_redis):
    redis = start_redis(*(f'rename-command {word} ""' for word in (
        "EVAL", "CONFIG", "KEYS", "FLUSHALL", "FLUSHDB", "ROLE", "INFO", "DEBUG")))
    driver.open_and_wait("a", 1, redis.address)
    assert driver.seen("does not tell its maxmemory-policy")
    assert driver.seen("does not allow ROLE") and driver.seen("does not allow INFO")
    _works(driver)
    # Without the server's ID nobody knows whether it is the same one.
    redis.call("CLIENT", "KILL", "TYPE", "pubsub")
    driver.wait("a away")
    assert driver.wait("a back") == "a back"


@pytest.mark.parametrize("settings,why", [
    ({}, "NOAUTH"), ({"password": "wrong"}, "refuses the password: WRONGPASS"),
    ({"user": "node", "password": "wrong"}, "refuses the user or the password: WRONGPASS"),
    ({"user": "nobody", "password": "right"}, "refuses the user or the password: WRONGPASS")])
def test_wrong_passwords_are_told(driver, start_redis, settings, why):
    redis = start_redis("requirepass right", "user node on >right ~* &* +@all")
    driver.open("a", 1, redis.address, **settings)
    assert why in driver.wait("a away")
    assert not driver.seen("right")


def test_a_password_that_nobody_asked_for(driver, redis):
    driver.open("a", 1, redis.address, password="secret")
    assert "refuses the password" in driver.wait("a away")


def test_passwords_and_users(driver, start_redis):
    redis = start_redis("requirepass right",
                        f"user node on >mine ~st:{{test}}:* &st:{{test}}:* {RIGHTS}")
    driver.open_and_wait("a", 1, redis.address, password="right")
    driver.open_and_wait("b", 2, redis.address, user="node", password="mine", database=3)
    for name in "ab":
        _works(driver, name)
    assert driver.ask("identify", "b", "relay") == "relay"
    driver.ask("lease_all", "b")
    driver.ask("release", "b", "another")
    driver.ask("send", "b", 1, "from-b")
    driver.wait("a received from-b")
    driver.ask("lease_end", "b")
    driver.ask("join", "b", "last", 0)
    assert not driver.seen("log 1")
    redis.cli = ["-a", "right"]
    redis.call("CONFIG", "SET", "requirepass", "changed")
    redis.cli = ["-a", "changed"]
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    driver.wait("a away")
    wait_for(lambda: driver.seen("a log 1 ") and driver.seen("WRONGPASS"), "the reason")


@pytest.mark.parametrize("without,why", [
    ("+evalsha", "refuses scripts (EVALSHA)"), ("+script|load", "refuses scripts (SCRIPT LOAD)"),
    ("&st:{test}:*", "refuses the subscription"), ("~st:{test}:*", "refuses scripts (EVALSHA)")])
def test_missing_rights_are_named(driver, start_redis, without, why):
    rights = f"~st:{{test}}:* &st:{{test}}:* {RIGHTS}".replace(without, "")
    redis = start_redis(f"user node on >mine resetchannels {rights}")
    driver.open("a", 1, redis.address, user="node", password="mine")
    assert why in driver.wait("a away")


def test_rights_that_are_taken_later(driver, start_redis):
    redis = start_redis(f"user node on >mine ~st:{{test}}:* &st:{{test}}:* {RIGHTS}")
    driver.open_and_wait("a", 1, redis.address, user="node", password="mine")
    redis.call("ACL", "SETUSER", "node", "-evalsha", "-role")
    assert driver.ask("join", "a", "dev", 0) == NONE
    assert "refuses a command" in driver.wait("a log 1")
    redis.call("ACL", "SETUSER", "node", "+evalsha", "+role")
    assert driver.ask("join", "a", "dev", 0) == ["0:0", "1:1"]


def test_a_server_without_room_for_clients(driver, redis):
    redis.call("CONFIG", "SET", "maxclients", "1")
    driver.open("a", 1, redis.address)
    assert "max number of clients" in driver.wait("a away")
    redis.call("CONFIG", "SET", "maxclients", "100")
    driver.wait("a back")
    _works(driver)


class _Stranger:
    """Says one thing to everybody who connects, and then closes or waits."""

    def __init__(self, words, close):
        self._words, self._close = words, close
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._clients = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                client.sendall(self._words)
                if self._close:
                    client.shutdown(socket.SHUT_WR)

    def end(self):
        for each in [self._listener, *self._clients]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


_SHA = b"$40\r\n" + b"a" * 40 + b"\r\n"
_GREETING = b"*1\r\n$6\r\nmaster\r\n+ok\r\n*0\r\n"
_WORDS = {
    "nothing": b"", "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "tls": b"\x15\x03\x03\x00\x02\x02\x46", "ok": b"+OK\r\n" * 50,
    "messages": b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n" * 20,
    "numbers": b":1\r\n" * 50, "nil": b"$-1\r\n" * 50, "lists": b"*0\r\n" * 50,
    "no-lists": b"*-1\r\n" * 50, "errors": b"-ERR go away\r\n" * 50, "long": b"$524288\r\n",
    "deep": b"*2\r\n" * 9, "half": _GREETING + _SHA,
    "almost": _GREETING + _SHA * 6 + b":0\r\n",
}


@pytest.mark.parametrize("close", [False, True], ids=["stays", "closes"])
@pytest.mark.parametrize("words", _WORDS.values(), ids=_WORDS)
def test_a_stranger_in_its_place_is_left(driver, redis, words, close):
    stranger = _Stranger(words, close)
    try:
        driver.open_and_wait("a", 1, stranger.address, redis.address, connect=300)
        _works(driver)
        assert driver.seen(f"a log 1 {stranger.address}: ")
    finally:
        stranger.end()
