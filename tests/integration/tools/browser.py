# SPDX-License-Identifier: MPL-2.0
"""Headless Chromium, controlled by the DevTools protocol over a pipe."""

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile

from waiting import PATIENCE, Deadline, wait_for

_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio", "--hide-scrollbars",
    "--remote-debugging-pipe",
]


class Browser:
    """A browser process with a new profile."""

    def __init__(self):
        program = shutil.which("chromium")
        assert program, "no chromium: install the package of that name"
        self._stack = contextlib.ExitStack()
        profile = self._stack.enter_context(
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def place():  # Chromium reads commands from descriptor 3 and writes answers to 4
            high_in, high_out = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self._process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=place, env={**os.environ, "HOME": profile})
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._rest = b""
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._stack.close()

    def _message(self, deadline):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], deadline.remaining())
            assert ready, "the browser does not answer"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        """Sends a command and returns its result.  Events that arrive meanwhile go to `events`."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        deadline = Deadline()
        while True:
            message = self._message(deadline)
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def open(self, url, **view):
        return Page(self, url, **view)


class Page:
    """A tab."""

    def __init__(self, browser, url, width=1200, height=900, dark=False):
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call(
            "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.view(width, height, dark)
        self.call("Page.navigate", url=url)
        wait_for(lambda: self.run("location.href !== 'about:blank' && "
                                  "document.readyState === 'complete'"), f"{url} to load")

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def view(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def run(self, expression):
        """Evaluates a JavaScript expression and returns its value."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, element):
        return self.run(f"(document.getElementById('{element}') || {{}}).innerText || ''")

    def wait_for_text(self, element, condition, what):
        """Waits until the element's text fulfils the condition; returns the text."""
        last = [""]

        def look():
            last[0] = self.text(element)
            return condition(last[0])

        wait_for(look, lambda: f"{what}; #{element} says {last[0]!r}")
        return last[0]

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=_KEYS.get(key, 0))

    def nodes(self):
        """The accessibility tree: [(role, name)]."""
        tree = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in tree if not node.get("ignored")]

    def screenshot(self, path):
        """The whole page as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": size["width"],
                                  "height": size["height"], "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def _of(self, method):
        self.run("0")  # reads the events that have arrived
        return [event["params"] for event in self._browser.events if event["method"] == method]

    def requests(self):
        return [event["request"]["url"] for event in self._of("Network.requestWillBeSent")]

    def complaints(self):
        """Exceptions and console errors, except failed fetches."""
        thrown = [str(event["exceptionDetails"]) for event in self._of("Runtime.exceptionThrown")]
        logged = [event["entry"]["text"] for event in self._of("Log.entryAdded")
                  if event["entry"]["level"] == "error" and event["entry"]["source"] != "network"]
        return thrown + logged


_KEYS = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35}
