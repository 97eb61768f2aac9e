# SPDX-License-Identifier: MPL-2.0
"""What the counters of a server's processes must say when all its clients are gone."""


def _sum(numbers, prefix):
    return sum(number for name, number in numbers.items() if name.startswith(prefix + "."))


def accepted(numbers):
    return numbers["core.connections_accepted"]


def closed(numbers):
    return _sum(numbers, "core.connections_closed")


def sessions(numbers):
    return numbers["ledger.begun.session"]


def forwarded(numbers):
    """By this process. `core.session_traffic` also has what the process before it has forwarded
    since the upgrade."""
    return numbers["ledger.forwarded"]


def of_process(numbers, before=None):
    """The equations that do not hold in one process, whose counters these are; `before` are those
    of the process from which it has taken over."""
    told = numbers["core.session_traffic"] - forwarded(numbers)
    most = before["core.session_traffic"] if before else 0
    equal = {
        "connections accepted = closed": (accepted(numbers), closed(numbers)),
        "connections accepted = those of the hooks": (
            accepted(numbers), numbers["ledger.begun.connection"]),
        "first = last hooks of connections": (
            numbers["ledger.begun.connection"], numbers["ledger.ended.connection"]),
        "first = last hooks of sessions": (sessions(numbers), numbers["ledger.ended.session"]),
        "sessions begun = closed": (sessions(numbers), _sum(numbers, "core.sessions_closed")),
        "bytes that the process before has told, and a possible number": (
            told, min(most, max(0, told))),
        "sizes of ended sessions = their number": (
            numbers["core.session_size"], sessions(numbers)),
        "open connections, and none": (_sum(numbers, "core.connections"), 0),
        **{f"{name}, and none": (numbers[name], 0) for name in (
            "core.sessions", "relay.devices", "relay.halves")},
    }
    return [f"{what}: {one} and {other}" for what, (one, other) in equal.items() if one != other]


def of_bytes(sent, received, through, uncounted):
    """The same for the bytes of all processes: what clients sent, what they received, and what
    the server has forwarded. What was sent and not received was in flight when a session ended.
    So many sent bytes the clients may not have counted."""
    wrong = []
    if through < received:
        wrong.append(f"clients received {received} bytes, and the server forwarded {through}")
    if through > sent + uncounted:
        wrong.append(f"clients sent {sent} bytes and up to {uncounted} that they do not count, "
                     f"and the server forwarded {through}")
    return wrong
