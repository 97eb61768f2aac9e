# SPDX-License-Identifier: MPL-2.0
"""How the test suite runs each attack of relay-siege: the options with which its limit is reached
within seconds, what the server may hold meanwhile, and which counters must grow.

The allowed memory comes from the table of budgets: an amount for each connection, times the
connections that the options of the trial allow."""

import contextlib
import dataclasses
import os

import siege_troubles
from budget_table import constant

KIB = 1024
MIB = 1024 * KIB

#: For good clients and the allocator, in addition to the attack.
_PROCESS_ROOM = 5 * MIB
_KERNEL_ROOM = 4 * MIB
#: Connections of good clients, listeners, files.
_DESCRIPTOR_ROOM = 96

_QUIET = constant("BUDGET_CONNECTION_BYTES")
_HANDSHAKE = constant("BUDGET_HANDSHAKE_BYTES")
#: The kernel accepts one more segment while the buffer is not full.
_UNREAD = constant("BEGINNER_BYTES") * 5 // 4
_MESSAGES = constant("MESSAGES_BYTES")
#: The kernel's bookkeeping is added to the allowed amount.
_STALLED = 2 * (constant("STALL_ALLOWED") + 128 * KIB)
_HTTP = constant("HTTP_CONNS_MAX")
_HTTP_KERNEL = 2 * constant("SEND_BUFFER") + 64 * KIB

#: The kernel counts a short segment as a page.
_PAGE = 4 * KIB
#: Of a server that is not told how many.
_WORKERS = len(os.sched_getaffinity(0))

_LINGER = constant("LINGER_MOST")
_LINGER_PART = _LINGER // constant("LINGER_SOURCE_PART")

_BOUNDS, _CORE, _RELAY = "strelaysrv_bounds_", "strelaysrv_core_", "strelaysrv_relay_"


def _reached(bound):
    return f'{_BOUNDS}reached_total{{bound="{bound}"}}'


def _core(name, label="", value=""):
    return f'{_CORE}{name}_total' + (f'{{{label}="{value}"}}' if label else "")


def _relay(name, label="", value=""):
    return f'{_RELAY}{name}_total' + (f'{{{label}="{value}"}}' if label else "")


def _tried(count):
    return (("handshakes", count),)


_HELD_BACK = 'strelaysrv_rate_limit_held_back_total{limit="global"}'
_TIMEOUT = _core("connections_closed", "reason", "timeout")
_DESCRIPTORS = _core("room_made", "for", "descriptors")
_ROOM = _core("room_made", "for", "module")


def _figures(outcome):
    report = outcome.attack
    return {"control": outcome.control_s / outcome.seconds,
            "share": report.get("server_cpu_s", 0) / report["seconds"],
            "sent_each": report.get("sent_bytes", 0) / (report.get("opened") or 1),
            "received_a_second": report.get("received_bytes", 0) / report["seconds"], **report}


@dataclasses.dataclass(frozen=True)
class Trial:
    attack: str  # or ATTACK@SOURCES
    connections: int  # connections of the attack that the server holds at the same time
    moves: tuple = ()  # counters that grow
    args: tuple = ()  # options of the server
    seconds: float = 1.5
    open: int = 0  # connections of the attack at the same time; 0: its default
    process: int = _QUIET  # bytes for each connection
    kernel: int = _UNREAD
    queued: bool = False  # others wait in the workers' queues with what they have sent
    descriptors: int = 4096  # hard limit of the server
    sockets: int = 0  # of the server, most beside those of good clients; 0: as descriptors
    joins: float = 0.95  # share of good clients that get done; 0: not judged
    #: What the attack must have reached before its counters must grow, because a busy machine may
    #: not let it: pairs of a figure of its report and a value. `share` is the server's part of a
    #: CPU, `control` that of its control thread.
    least: tuple = ()
    #: The most that the attack may reach: such pairs. `sent_each` is the bytes that a connection
    #: sends, `received_a_second` those that all receive.
    most: tuple = ()
    #: Under a sanitizer so many connections, with which the counter need not move; 0: as usual.
    slow_open: int = 0
    settled: bool = False  # bounds take effect after some seconds: judged at the end
    bare: bool = False  # without the modules bounds and rate-limit
    meanwhile: object = contextlib.nullcontext  # of siege_troubles: what befalls the server

    @property
    def name(self):
        return self.attack.partition("@")[0]

    @property
    def process_bytes(self):
        return _PROCESS_ROOM + self.connections * self.process

    @property
    def kernel_bytes(self):
        queue = constant("LISTENER_BACKLOG") * _PAGE * _WORKERS if self.queued else 0
        return _KERNEL_ROOM + self.connections * self.kernel + queue

    def must_move(self, outcome):
        """The counters that must have grown, given what the attack has reached."""
        figures = _figures(outcome)
        return self.moves if all(figures[name] >= value for name, value in self.least) else ()

    def exceeded(self, outcome):
        """The figures that are above their bounds."""
        figures = _figures(outcome)
        return [f"{name} is {figures[name]:.0f}" for name, value in self.most
                if figures[name] > value]

    def __str__(self):
        return "-".join([self.attack, *(arg.strip("-") for arg in self.args),
                         *(["bare"] if self.bare else []),
                         *([self.meanwhile.__name__] if self.befallen else [])])

    @property
    def befallen(self):
        return self.meanwhile is not contextlib.nullcontext


#: Few, so that `opening` limits the number and not the attack's default. With 16 sources (also of
#: `descriptors`) each has more than a source of good clients, even if these take seconds, as they
#: do on a busy machine.
_FEW = ("-bounds.opening", "256")
#: Good clients of a busy machine may take longer: other trials of the attack judge them.
_SOON = ("-message-timeout", "3s")
#: Long enough for them, and over before the server must be as before.
_LATER = ("-message-timeout", "6s")

#: Handshakes wait while a worker has no time for them.
_COMPUTING = (("share", 0.1),)

#: A number of workers, where they have a bound each.
_TWO = ("-workers", "2")

#: With a hard limit of 4,096.
_ALL = 4096

TRIALS = (
    Trial("silent", 1024, (_reached("opening"), _ROOM), ("-bounds.opening", "1024")),
    Trial("one-byte", _ALL, (_DESCRIPTORS,), slow_open=200),
    Trial("one-byte@8", _ALL, (_reached("opening-per-source"),), slow_open=200),
    Trial("one-byte-plain", _ALL, (_DESCRIPTORS,), slow_open=200),
    Trial("one-byte-plain@8", _ALL, (_reached("opening-per-source"),), slow_open=200),
    Trial("one-byte-plain", 300, (_TIMEOUT,), ("-relay.guest-timeout", "1s"), open=300,
          seconds=2),
    Trial("half-hello@16", 256, (_reached("opening"),), _FEW),
    Trial("half-hello", 500, (_TIMEOUT,), _SOON, seconds=4, open=500, joins=0),
    Trial("large-hello", 1000, (_core("handshake_failures", "kind", "hello"),)),
    Trial("hello-close", 64, (_core("handshakes_waited"),), process=_HANDSHAKE,
          least=_COMPUTING, queued=True),
    Trial("hello-close@1", 64, (_core("handshakes_waited"),), process=_HANDSHAKE,
          least=_COMPUTING, queued=True),
    Trial("hello-close@1000", 64, (_core("handshakes_waited"),), process=_HANDSHAKE,
          least=_COMPUTING, queued=True),
    Trial("hello-stay@16", 256, (_reached("opening"), _ROOM), _FEW, process=_HANDSHAKE),
    # Who is evicted comes again at once, so that handshakes wait all the time.
    Trial("hello-stay@16", 256, (_core("handshake_failures", "kind", "late"),), _FEW,
          process=_HANDSHAKE, joins=0, meanwhile=siege_troubles.asleep),
    Trial("hello-stay", 300, (_TIMEOUT,), _SOON, seconds=4, open=300, process=_HANDSHAKE,
          joins=0),
    Trial("hello-p384", 64, (_core("handshake_failures", "kind", "cipher"),)),
    Trial("handshake-silent", 256, (_reached("opening"), _ROOM), _FEW, process=_HANDSHAKE),
    Trial("handshake-silent@8", 256, (_ROOM,), _FEW, process=_HANDSHAKE),
    Trial("handshake-silent", 300, (_TIMEOUT,), _SOON, seconds=4, open=300,
          process=_HANDSHAKE, joins=0),
    Trial("handshake-leave", 64, (_core("handshakes_waited"),), process=_HANDSHAKE),
    Trial("handshake-leave@1", 64, (_core("handshakes_waited"),), process=_HANDSHAKE),
    Trial("handshake-leave@1000", 64, (_core("handshakes_waited"),), process=_HANDSHAKE),
    Trial("many-certificates", 32, (_core("handshake_failures", "kind", "certificate"),),
          process=_HANDSHAKE),
    Trial("wrong-token@1", 32, (_reached("failures-per-minute"),),
          ("-bounds.failures-per-minute", "20"), process=_HANDSHAKE, least=_tried(50),
          slow_open=64),
    Trial("churn@1", 32, (_reached("joins-per-minute"),), ("-bounds.joins-per-minute", "60"),
          process=_HANDSHAKE, least=_tried(120)),
    # A source may have an eighth of the places, so two leave room for others.
    Trial("join-stay@2", 1000, (_reached("per-source"),), process=_HANDSHAKE, slow_open=200),
    # All are taken: who has joined stays, and so do sessions.
    Trial("join-stay", 1000, (_relay("joins", "result", "full"),),
          ("-max-connections", "500"), seconds=3, process=_HANDSHAKE, joins=0, slow_open=200),
    Trial("ask-absent@1", 32, (_reached("failures-per-minute"),),
          ("-bounds.failures-per-minute", "20"), process=_HANDSHAKE, least=_tried(50)),
    # Every device is expected back for a while after the start.
    Trial("ask-absent@1", 128, (_relay("requests_parked", "result", "refused"),),
          ("-relay.park-asks", "10s"), open=128, process=_HANDSHAKE, slow_open=16),
    # Each source asks again while it still has as many as it may have.
    Trial("ask-victim@4", 128, (_relay("sessions_given_up", "bound", "invitations"),), _LATER,
          process=_HANDSHAKE, least=_tried(150), slow_open=16),
    # No source has more than it may have, so its sessions stay until the victim's time for them is
    # over.
    Trial("ask-victim@4", 128, (_relay("sessions_given_up", "bound", "turn"),), _LATER,
          process=_HANDSHAKE, open=16, seconds=4),
    Trial("pending-keys@1", 128, (_reached("asks-per-minute"),),
          ("-bounds.asks-per-minute", "60", *_LATER), process=_HANDSHAKE, least=_tried(120),
          slow_open=16),
    Trial("pending-keys@1", 128, (_relay("sessions_given_up", "bound", "pending-per-source"),),
          ("-relay.pending-per-source", "20", *_LATER), process=_HANDSHAKE,
          least=_tried(150), slow_open=16),
    Trial("half-reset", 64, (_core("connections_closed", "reason", "reset"),),
          process=_HANDSHAKE),
    Trial("half-stay", 256, (_relay("sessions_expired"),), _LATER, seconds=7,
          process=_HANDSHAKE, slow_open=64),
    Trial("pings", 16, (_relay("rejected", "reason", "too_many_messages"),),
          process=_HANDSHAKE),
    # The queue is longer than the answers to all messages that a device may send in a minute.
    Trial("deaf-pings", 16, (_core("connections_closed", "reason", "overflow"),),
          ("-relay.messages-per-minute", "0"), process=_HANDSHAKE, kernel=2 * _MESSAGES),
    Trial("junk", 128, (_relay("rejected", "reason", "bad_magic"),), process=_HANDSHAKE),
    Trial("junk", 128, (_core("log_dropped"),), ("-debug",), process=_HANDSHAKE,
          meanwhile=siege_troubles.log_unread),
    Trial("guessed-keys", 64, (_relay("session_joins", "result", "unknown_key"),)),
    Trial("guessed-keys-stay@1", 2 * _LINGER_PART, (_core("lingering_refused", "by", "source"),),
          _TWO, open=400),
    Trial("guessed-keys-stay", 2 * _LINGER, (_core("lingering_refused", "by", "places"),), _TWO,
          slow_open=300),
    # Beside what the server reads, the kernel takes what fits into the sender's buffer.
    Trial("guessed-keys-send", 8, (_core("connections_cut"),), kernel=constant("LINGER_DISCARD"),
          most=(("sent_each", constant("LINGER_DISCARD") + 4 * MIB),)),
    # A fifth more, for what was saved up.
    Trial("greedy-sessions", 64, (_HELD_BACK,), ("-global-rate", "40MB/s"), kernel=_STALLED,
          most=(("received_a_second", 48_000_000),), slow_open=32),
    Trial("stalled-readers", 48, (_core("connections_cut"),), seconds=7, process=32 * KIB,
          kernel=_STALLED, settled=True, slow_open=32),
    Trial("stalled-readers", 48, (_reached("sessions-per-device"),),
          ("-bounds.sessions-per-device", "16"), process=32 * KIB, kernel=_STALLED),
    # The first look, after 5 s, has nothing to compare with; the next ones are as far apart. A good
    # session is idle until the attack has begun, which takes seconds on a busy machine.
    Trial("stalled-talkers", 48, (_core("sessions_closed", "reason", "stalled"),),
          ("-network-timeout", "8s", "-ping-interval", "1s"), seconds=17, process=32 * KIB,
          kernel=_STALLED, settled=True, slow_open=32),
    # In the end they hold no more than the option allows. It takes 5 s until sessions end for it,
    # and on a busy machine as long again until they hold so much.
    Trial("stalled-talkers@16", 16, (_core("sessions_closed", "reason", "pressure"),),
          ("-session-memory", "16MiB"), seconds=20, process=64 * KIB, kernel=MIB, settled=True,
          slow_open=32),
    # Each round has 16 sessions, whose sockets must not stay in the kernel.
    Trial("full-queues", 32, (_core("connections_cut"),), seconds=5, process=32 * KIB,
          kernel=8 * MIB, sockets=80),
    Trial("descriptors", _HTTP + 512, (_DESCRIPTORS, _core("http_ends", "reason", "room")),
          descriptors=512, slow_open=200),
    Trial("descriptors@16", _HTTP + 512, (_core("accept_errors", "kind", "descriptors"),),
          descriptors=512, meanwhile=siege_troubles.descriptors_short),
    Trial("http-chunk-line", 32),
    Trial("http-long-head", 32, (_core("http_requests", "result", "too_large"),)),
    Trial("http-pipelining@1", 16, (_core("http_requests", "result", "delayed"),),
          least=(("control", 0.11),)),
    # No source reaches its own share: they are held to that of all, and with what the thread
    # does besides, it is then busy for 0.48 of the time.
    Trial("http-pipelining", 64, (_core("http_requests", "result", "delayed"),),
          least=(("control", 0.42),), open=64, seconds=3, slow_open=16),
    Trial("http-unread", 64, kernel=_HTTP_KERNEL),
    Trial("http-half-unread", _HTTP, (_core("http_cut"),), kernel=_HTTP_KERNEL, slow_open=64),
    Trial("http-idle", _HTTP, (_core("http_ends", "reason", "room"),)),
    Trial("http-idle@1", _HTTP, (_core("http_ends", "reason", "source"),)),
    Trial("http-flood@1", 64, (_core("http_requests", "result", "delayed"),),
          least=(("control", 0.08),), slow_open=64),
    Trial("http-slow", _HTTP),
    Trial("http-slow", 100, (_core("http_ends", "reason", "request_time"),), seconds=11,
          open=100),
    Trial("http-last-unread", 100, (_core("http_ends", "reason", "answer_time"),), seconds=7,
          kernel=_HTTP_KERNEL),
    # What the server does for itself does not depend on these modules.
    Trial("large-hello", 1000, (_core("handshake_failures", "kind", "hello"),), bare=True),
    Trial("hello-close", 64, (_core("handshakes_waited"),), process=_HANDSHAKE,
          least=_COMPUTING, queued=True, bare=True),
    Trial("hello-p384", 64, (_core("handshake_failures", "kind", "cipher"),), bare=True),
    Trial("many-certificates", 32, (_core("handshake_failures", "kind", "certificate"),),
          process=_HANDSHAKE, bare=True),
    Trial("junk", 128, (_relay("rejected", "reason", "bad_magic"),), process=_HANDSHAKE,
          bare=True),
    Trial("descriptors", _HTTP + 512, (_DESCRIPTORS, _core("http_ends", "reason", "room")),
          descriptors=512, slow_open=200, bare=True),
    Trial("http-chunk-line", 32, bare=True),
    Trial("http-unread", 64, kernel=_HTTP_KERNEL, bare=True),
    Trial("http-idle@1", _HTTP, (_core("http_ends", "reason", "source"),), bare=True),
)

#: From the local network. A search for a gateway takes up to 4 s, and is counted at its end.
_NAT, _SEARCH_S = ("-nat", "-nat-timeout", "4"), 6


def _refused(reason):
    return f'strelaysrv_nat_refused_total{{reason="{reason}"}}'


LAN_TRIALS = (
    # Beside what the server reads, the kernel takes what fits into the buffers of both sides.
    Trial("gateway-endless", 1, (_refused("size"),), _NAT, seconds=_SEARCH_S,
          process=constant("FETCH_MAX"), most=(("sent_each", constant("FETCH_MAX") + 16 * MIB),)),
    Trial("gateway-slow", 1, (_refused("time"),), _NAT, seconds=_SEARCH_S),
    # Nobody asks the stranger for its description.
    Trial("lan-stranger", 1, (_refused("stranger"),), _NAT, seconds=_SEARCH_S,
          most=(("opened", 0),)),
)
