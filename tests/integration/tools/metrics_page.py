# SPDX-License-Identifier: MPL-2.0
"""The page of every metric, made from what a relay with all modules shows.

    STRELAYSRV=build/strelaysrv /usr/bin/python3 tests/integration/tools/metrics_page.py

writes modules/METRICS.md anew."""

import contextlib
import pathlib
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import certificates  # noqa: E402
import exposition  # noqa: E402
from module_server import ModuleServer  # noqa: E402
from relay_server import ROOT, module_folder  # noqa: E402
from waiting import PATIENCE  # noqa: E402

PAGE = ROOT / "modules" / "METRICS.md"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
#: Labels whose values depend on the configuration or the build, not on the metric's table.
_OPEN_LABELS = {
    "listener": "its name, or its address if it has none", "module": "as in `modules`",
    "node": "as the option `node` of each node", "pool": "host and port of each of `pools`",
    "version": "of the server",
}
#: Options that a module needs to start, besides its defaults.
_NEEDS = {
    "admission": lambda folder: {"url": "http://127.0.0.1:9/"},
    "csv-exporter": lambda folder: {"file": f"{folder}/relay.csv"},
    "pool-join": lambda folder: {"pools": "http://127.0.0.1:9/"},
}
_HEAD = """# Metrics

Every metric of the server and of the modules here, made from their tables by
`tests/integration/tools/metrics_page.py`; do not edit. The names are those at
`/metrics` of the module [prometheus](prometheus/README.md); other exporters
derive theirs from the same tables.

Numbers are sums over all threads. Counters live as long as the process, also
while a reload takes their module out and puts it back. No label holds a device
ID or an address of a peer, so that the number of series is bounded: a few hundred.
"""


def _modules():
    """All modules that were built, the relay first, because others need it."""
    names = sorted(path.stem for path in module_folder().glob("*.so"))
    return ["relay", *(name for name in names if name != "relay")]


def _scrape():
    """{module: [(family name, Family)]} from a relay with every module."""
    names = _modules()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        keys = certificates.make(name="strelaysrv").write(folder)
        sections = {name: need(folder) for name, need in _NEEDS.items() if name in names}
        server = ModuleServer(folder, keys, names, installed=[], sections=sections)
        stack.callback(server.stop)
        server.wait_for_log("ready, with modules:")
        url = "http://{}:{}/metrics".format(*server.status_address)
        request = urllib.request.Request(url, headers={"Accept": OPENMETRICS})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            families = exposition.parse(answer.read().decode())
    owners = {f"strelaysrv_{name.replace('-', '_')}_": name for name in ["core", *names]}
    found = {}
    for name, family in families.items():
        owner = max((p for p in owners if name.startswith(p)), key=len)
        found.setdefault(owners[owner], []).append((name, family))
    return found


def _labels(family):
    values = {}
    for _, labels in family.samples:
        for label, value in labels:
            if label != "le" and value not in values.setdefault(label, []):
                values[label].append(value)
    texts = []
    for label, known in values.items():
        shown = _OPEN_LABELS.get(label) or ", ".join(f"`{value}`" for value in known)
        texts.append(f"`{label}`: {shown}")
    return "; ".join(texts)


def _bounds(family):
    bounds = []
    for _, labels in family.samples:
        bound = dict(labels).get("le")
        if bound and bound not in bounds and bound != "+Inf":
            bounds.append(bound)
    return f" {bounds[0]} to {bounds[-1]}" if bounds else ""


def _row(name, family):
    sample = name + ("_total" if family.type == "counter" else "")
    kind = family.type + _bounds(family)
    return f"| `{sample}` | {kind} | {family.help} | {_labels(family)} |"


def page():
    """The text of the page."""
    parts = [_HEAD]
    found = _scrape()
    for owner in ["core", *sorted(set(found) - {"core"})]:
        title = "The server itself" if owner == "core" else f"[{owner}]({owner}/README.md)"
        parts.append(f"## {title}\n\n| metric | type | what it counts | labels |\n|---|---|---|---|")
        parts.append("\n".join(_row(*metric) for metric in found[owner]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
