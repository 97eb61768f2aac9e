# SPDX-License-Identifier: MPL-2.0
"""A real Syncthing process that connects only to the relay of the test."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

from relay_server import free_port
from waiting import PATIENCE, wait_for

FOLDER = "shared"
_API_KEY = "end-to-end"

#: Options that keep all traffic on loopback and all waiting times short.
_OPTIONS = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "natEnabled": "false",
    "relaysEnabled": "true",
    "crashReportingEnabled": "false",
    "urAccepted": "-1",
    "autoUpgradeIntervalH": "0",
    "upgradeToPreReleases": "false",
    "startBrowser": "false",
    "stunKeepaliveStartS": "0",
    "reconnectionIntervalS": "1",
    "limitBandwidthInLan": "true",
    "announceLANAddresses": "false",
}


def _program():
    path = shutil.which("syncthing")
    assert path, "install the package syncthing"
    return path


def version():
    """Of the installed Syncthing, as two numbers."""
    told = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True,
                          timeout=PATIENCE).stdout
    return tuple(map(int, re.search(r"v(\d+)\.(\d+)", told).groups()))


def _set(parent, tag, *texts):
    for old in parent.findall(tag):
        parent.remove(old)
    for text in texts:
        ElementTree.SubElement(parent, tag).text = text


def gone(pid):
    """Whether a process has ended, even if it is a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Device:
    """A Syncthing with one folder, its home directory and its log."""

    def __init__(self, home):
        self.home = home
        self.folder = home / "folder"
        self.folder.mkdir(parents=True)
        (self.folder / ".stfolder").mkdir()
        self.log_file = home / "syncthing.log"
        self.process = None
        self.api = None
        self._call = None  # runs a function where its REST interface can be reached
        self._environment = {
            **os.environ, "HOME": str(home), "STNOUPGRADE": "1", "STNORESTART": "1",
            "STNODEFAULTFOLDER": "1", "no_proxy": "*",
        }
        self._run("generate", "--home", str(home / "config"), "--no-default-folder",
                  "--skip-port-probing")
        self.id = self._run("--home", str(home / "config"), "--device-id").strip()

    def _run(self, *args):
        return subprocess.run(
            [_program(), *args], env=self._environment, capture_output=True, text=True,
            check=True, timeout=PATIENCE,
        ).stdout

    def configure(self, listen, peer, peer_address, receive_kib=0):
        """Sets the device's listen address and the peer's address, or a list of them, and shares the
        folder with it."""
        addresses = [peer_address] if isinstance(peer_address, str) else peer_address
        file = self.home / "config" / "config.xml"
        tree = ElementTree.parse(file)
        root = tree.getroot()
        options = root.find("options")
        for name, value in _OPTIONS.items():
            _set(options, name, value)
        _set(options, "listenAddress", listen)
        _set(options, "maxRecvKbps", str(receive_kib))
        for tag in ("globalAnnounceServer", "stunServer", "releasesURL", "crashReportingURL"):
            _set(options, tag)
        for name in ("crURL", "urURL"):
            _set(options, name, "http://127.0.0.1:9/")
        gui = root.find("gui")
        _set(gui, "address", f"127.0.0.1:{free_port()}")
        _set(gui, "apikey", _API_KEY)
        self.api = "http://" + gui.find("address").text
        for device in root.findall("device"):
            _set(device, "address", *(addresses if device.get("id") == peer.id else ["dynamic"]))
        other = ElementTree.SubElement(root, "device", id=peer.id, name="peer",
                                       compression="never")
        _set(other, "address", *addresses)
        for folder in root.findall("folder"):
            root.remove(folder)
        shared = ElementTree.SubElement(
            root, "folder", id=FOLDER, label=FOLDER, path=str(self.folder), type="sendreceive",
            rescanIntervalS="0", fsWatcherEnabled="false",
        )
        ElementTree.SubElement(shared, "filesystemType").text = "basic"
        ElementTree.SubElement(shared, "minDiskFree", unit="").text = "0"
        for member in (self, peer):
            ElementTree.SubElement(shared, "device", id=member.id)
        tree.write(file)
        return self

    def start(self, prefix=(), call=lambda body: body(), proxy=None, trusted=None):
        """`prefix` is a command prefix, such as for a network namespace; `call` runs a function
        there.  `proxy`: the URL of the proxy through which it dials, and only so.  `trusted`: the
        only certificate of a web server that it trusts."""
        self._call = call
        environment = dict(self._environment)
        if proxy:
            environment |= {"no_proxy": "", "all_proxy": proxy, "ALL_PROXY_NO_FALLBACK": "1"}
        if trusted:
            environment["SSL_CERT_FILE"] = str(trusted)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, _program(), "serve", "--home", str(self.home / "config"), "--no-browser",
                 "--no-restart", "--logfile=-"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        wait_for(self._answers, lambda: f"Syncthing's REST interface; its log:\n{self.log()}")
        return self

    def _answers(self):
        assert self.process.poll() is None, f"Syncthing has ended; its log:\n{self.log()}"
        try:
            return self.rest("system/ping") == {"ping": "pong"}
        except (urllib.error.URLError, ConnectionError):
            return False

    def kill(self):
        """Kills Syncthing and its child process, which does the work."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        self.process.kill()
        self.process.wait()
        for child in children:
            os.kill(child, signal.SIGKILL)
            wait_for(lambda child=child: gone(child), f"process {child} to end")

    def restart(self):
        self._end()
        self.start()

    def stop(self):
        """Ends the process and removes the folder, which is big."""
        self._end()
        shutil.rmtree(self.folder)

    def _end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self):
        """The last lines of the log, for messages."""
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return text[-8000:]

    def rest(self, path, method="GET", value=None):
        request = urllib.request.Request(
            f"{self.api}/rest/{path}", method=method, headers={"X-API-Key": _API_KEY},
            data=None if value is None else json.dumps(value).encode(),
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def fetch():
            with opener.open(request, timeout=PATIENCE) as answer:
                return answer.read()

        body = self._call(fetch)
        return json.loads(body) if body else None

    def scan(self):
        self.rest(f"db/scan?folder={FOLDER}", method="POST")

    def listen_anew(self, between=lambda: None):
        """Stops and restarts listening; between() is called while it does not listen.

        Syncthing pauses a relay listener for ten minutes after three failures in a row, which
        happen within milliseconds while the relay is down."""
        addresses = self.rest("config/options")["listenAddresses"]
        self.rest("config/options", "PATCH", {"listenAddresses": []})
        between()
        self.rest("config/options", "PATCH", {"listenAddresses": addresses})

    def folder_status(self):
        return self.rest(f"db/status?folder={FOLDER}")

    def has_everything(self, files):
        """Whether the folder has `files` files and nothing is missing."""
        status = self.folder_status()
        return (status["state"] == "idle" and status["needTotalItems"] == 0
                and status["localFiles"] == files)

    def connection(self, peer):
        """Syncthing's status of the connection to a peer."""
        return self.rest("system/connections")["connections"].get(peer.id, {})

    def listener_error(self, address):
        """Syncthing's error for one of its listen addresses, or None."""
        status = self.rest("system/status")["connectionServiceStatus"]
        return (status.get(address) or {}).get("error")
