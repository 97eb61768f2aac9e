# SPDX-License-Identifier: MPL-2.0
"""Attackers of tests/siege, one attack after the other, at a rate that leaves room for others."""

import collections
import json
import random
import subprocess
import threading
import time

import siege
import tally
from waiting import PATIENCE, pace

#: Not played: it asks for a device that must be there all the time, and an upgrade sends it away.
LEFT_OUT = {"ask-victim"}

#: Two bytes of a session are not in an attack's report: each side's first.
GREETING_BYTES = 2

_SOURCES = 8


class Attackers:
    """Attacks that are drawn, for some seconds each, in the background."""

    def __init__(self, server, seed, open_at_once, per_second):
        self._server = server
        self._random = random.Random(seed)
        self._scale = ["--sources", str(_SOURCES), "--open", str(open_at_once), "--per-second",
                       str(per_second)]
        self._program = siege.attacker()
        self._left = []
        self.names = sorted(set(siege.attacks(self._program)) - LEFT_OUT)
        self.counts = collections.Counter()
        self.sent = self.received = self.sessions = 0
        self.errors = []

    def begin(self, seconds, each):
        """Attacks for this time; the result waits for the end."""
        thread = threading.Thread(target=self._run, args=(time.monotonic() + seconds, each),
                                  daemon=True)
        thread.start()
        return thread.join

    def _run(self, end, each):
        while time.monotonic() < end:
            # All of them in a new order, before one is played again.
            if not self._left:
                self._left = self._random.sample(self.names, len(self.names))
            name = self._left.pop()
            try:
                self._play(name, min(each, max(0.5, end - time.monotonic())))
            except (AssertionError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
                self.errors.append(f"{name}: {error!r}")
                return

    def _play(self, name, seconds):
        server = self._server
        process = subprocess.Popen(
            [str(self._program), name, "--relay", "%s:%d" % server.address, "--http",
             "%s:%d" % server.status_address, "--seconds", str(seconds + 60), *self._scale],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            pace(seconds)
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()
        lines = [line for line in out.splitlines() if line.startswith("{")]
        # It has not begun yet on a busy machine.
        if not lines and "begun" not in out:
            self.counts["too late"] += 1
            return
        report = json.loads(lines[-1])
        self.counts[name] += 1
        tally.add("attacks")
        if "session_bytes" in report:
            self.sent += report["session_bytes"]
            self.received += report["received_bytes"]
