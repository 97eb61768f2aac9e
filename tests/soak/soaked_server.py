# SPDX-License-Identifier: MPL-2.0
"""A server that is reloaded and upgraded all the time, and whose log becomes long."""

import collections
import contextlib
import pathlib
import random
import re
import signal
import threading
import time

from module_server import folder_of
from relay_server import module_folder
from upgrading import Upgrading
from waiting import pace, wait_for

#: Modules that each reload puts in or takes out, with options that it draws.
OPTIONAL = {
    "bounds": lambda draw: {"per-source": draw(900, 1100), "opening": draw(3000, 4096),
                            "exempt": '{ "127.255.255.254" }'},
    "access": lambda draw: {"connect-deny": f'{{ "192.0.2.{draw(1, 250)}" }}'},
    "quota": lambda draw: {"month": f"{draw(100, 900)}TB", "state-required": "no"},
    "prometheus": lambda draw: {},
    "dashboard": lambda draw: {},
    "csv-exporter": lambda draw: {"interval": f"{draw(1, 3)}s"},
    "statsd": lambda draw: {"port": 9, "prefix": f'"soak{draw(1, 9)}"'},
    "endpoint": lambda draw: {"relays": '{ "relay://127.0.0.1:9/", "relay://localhost:9/" }',
                              "check-interval": f"{draw(1, 5)}s"},
    "wormhole-transit": lambda draw: {"wait-timeout": f"{draw(5, 50)}s"},
}

_ERROR = re.compile(r" error [\w-]+: |Sanitizer|runtime error:|not reloaded|no upgrade")
_SWITCHED = re.compile(r"process (\d+) serves; this one, (\d+), drains")

#: How many devices an upgrade sends away within a moment.
SPREAD_S = 1


def _read(text):
    return {name: int(number) for name, number in
            (line.rsplit(",", 1) for line in text.splitlines())}


class SoakedServer(Upgrading):
    """Its log is kept in a file; of its lines only the last are remembered."""

    _KEPT = 400

    def __init__(self, program, folder, keys, timeout_s, rate, workers=2):
        self._tallies = collections.Counter()
        self._last_numbers = {}
        self.wrong = []
        self._log_file = (pathlib.Path(folder) / "server.log").open("w")
        self.random = random.Random(1)
        self.rate = rate
        self.timeout_s = timeout_s
        self.asked = 0
        self.told = []  # when an upgrade began
        super().__init__(program, folder, keys, conf=self._text(folder, list(OPTIONAL)),
                         workers=workers, args=("-module-dir",
                                                f"{module_folder()},{folder_of('ledger')}"))

    def _text(self, folder, optional):
        """A configuration with these of the optional modules, and with options that are drawn."""
        draw = self.random.randint
        modules = ["log", "ledger", *(["bounds"] if "bounds" in optional else []), "relay",
                   "rate-limit", "status", *(name for name in optional if name != "bounds")]
        lines = [f"modules = {{ {', '.join(modules)} }}",
                 f"drain-spread = {SPREAD_S}s",
                 f"ledger {{ folder = \"{folder}\" }}",
                 f"relay {{ network-timeout = {self.timeout_s:g}s message-timeout = "
                 f"{self.timeout_s:g}s ping-interval = {self.timeout_s / 3:g}s "
                 f"provided-by = \"soak {draw(1, 1000)}\" }}",
                 f"rate-limit {{ global = {self.rate + draw(0, 1000)} }}"]
        for name in optional:
            options = OPTIONAL[name](draw)
            lines.append(f"{name} {{ {' '.join(f'{k} = {v}' for k, v in options.items())} }}")
        return "\n".join(lines) + "\n"

    # The log.

    def _keep(self, line):
        self._log_file.write(line + "\n")
        self._lines.append(line)
        if len(self._lines) > 2 * self._KEPT:
            del self._lines[:-self._KEPT]
        for name in ("core: reloaded", "not reloaded", "core: ready, with modules"):
            self._tallies[name] += name in line
        if _SWITCHED.search(line):
            self._tallies["switched"] += 1
            self.switched = tuple(map(int, _SWITCHED.search(line).groups()))
        if _ERROR.search(line):
            self.wrong.append(line)

    @property
    def reloads(self):
        return self._tallies["core: reloaded"]

    # What is done to it.

    def write(self, optional):
        new = self.conf.with_suffix(".new")
        new.write_text(self._text(self.folder, optional))
        new.rename(self.conf)

    def reload(self, optional):
        """Puts these modules into force; a reload during an upgrade follows it."""
        self.write(optional)
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGHUP)
            self.asked += 1

    def reload_at_random(self):
        self.reload([name for name in OPTIONAL if self.random.random() < 0.6])

    def settle(self):
        """The whole configuration is in force, and no reload is under way."""
        before = self.reloads
        self.reload(list(OPTIONAL))
        wait_for(lambda: self.reloads > before, lambda: f"a reload; the log:\n{self.log()}")

    def upgrade(self):
        self.told.append(time.monotonic())
        switched, ready = self._tallies["switched"], self._tallies["core: ready, with modules"]
        old = self.serving
        self.signal(signal.SIGUSR2)
        wait_for(lambda: self._tallies["switched"] > switched,
                 lambda: f"the upgrade of {old}; the log:\n{self.log()}")
        self.generations.append(self.switched[0])
        wait_for(lambda: self._tallies["core: ready, with modules"] > ready,
                 lambda: f"process {self.serving} to be ready; the log:\n{self.log()}")
        self.told.append(time.monotonic())

    def sent_away_since(self, since):
        """Whether an upgrade may have sent a device away that joined at this time or later."""
        return any(at + SPREAD_S + self.timeout_s > since for at in self.told[-2:])

    # What it holds and has counted.

    @property
    def pid(self):
        return self.serving

    def wait_for_old_processes(self):
        """All but the newest have ended, since their clients have."""
        for pid in self.generations[:-1]:
            code = self.exit_code(pid)
            if code:
                self.wrong.append(f"process {pid} ended with {code}")

    def numbers(self):
        """{metric: number} of each process, the last of which serves."""
        code, _, body = self.get("/ledger")
        assert code == 200, f"/ledger: got {code}, want 200"
        for pid in self.generations[:-1]:
            if pid not in self._last_numbers:
                self._last_numbers[pid] = _read((self.folder / f"{pid}.csv").read_text())
        return [*self._last_numbers.values(), _read(body.decode())]


class Unrest:
    """Reloads every second, and an upgrade in the middle of the time, in the background."""

    def __init__(self, server, seconds, upgrades, every=1.0):
        self._server = server
        self._end = time.monotonic() + seconds
        self._every = every
        self._threads = [threading.Thread(target=self._reload, daemon=True)]
        if upgrades:
            self._threads.append(threading.Thread(target=self._upgrade, args=(seconds / 2,),
                                                  daemon=True))
        for thread in self._threads:
            thread.start()

    def _reload(self):
        while time.monotonic() < self._end:
            self._server.reload_at_random()
            pace(self._every)

    def _upgrade(self, after):
        pace(after)
        try:
            self._server.upgrade()
        except AssertionError as error:
            self._server.wrong.append(str(error))

    def join(self):
        for thread in self._threads:
            thread.join()
