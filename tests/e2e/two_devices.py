# SPDX-License-Identifier: MPL-2.0
"""Two Syncthing devices: how they find each other, what they share, and when they are in sync."""

import hashlib
import random

from relay_server import free_port
from waiting import Deadline, wait_for

MEBI = 1 << 20

SMALL_FILES = 500
BIG = 100 * MEBI


def fill(folder, name, seed, small=SMALL_FILES, big=BIG):
    """Small files in subfolders and a large one; returns their total size."""
    randomness = random.Random(seed)
    total = big
    for number in range(small):
        data = randomness.randbytes(randomness.randrange(1, 4096))
        place = folder / f"{name}-{number % 10}" / f"{number}.bin"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        total += len(data)
    with (folder / f"{name}-big.bin").open("wb") as file:
        for _ in range(big // MEBI):
            file.write(randomness.randbytes(MEBI))
    return total


def hashes(folder):
    found = {}
    for path in sorted(folder.rglob("*.bin")):
        with path.open("rb") as file:
            found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def make_pair(make_device, uri, **options):
    """Two devices that know the relay's URI as each other's address."""
    one, other = make_device("one"), make_device("other")
    one.configure(uri, other, uri, **options)
    other.configure(uri, one, uri, **options)
    return one, other


def make_joined_and_dialling(make_device, uri):
    """A device that listens at the relay, and one that only has the relay as the other's
    address."""
    joined, dialling = make_device("joined"), make_device("dialling")
    nobody = f"tcp://127.0.0.1:{free_port()}"
    joined.configure(uri, dialling, nobody)
    dialling.configure(f"tcp://127.0.0.1:{free_port()}", joined, uri)
    return joined, dialling


def wait_for_connection(one, other, patience=1):
    def connection(device, peer):
        # Check at once: when both dial, one of two connections is closed soon.
        found = device.connection(peer)
        return found if found.get("connected") else None

    for device, peer in ((one, other), (other, one)):
        got = wait_for(
            lambda device=device, peer=peer: connection(device, peer),
            lambda device=device: f"{device.home.name} to connect; its log:\n{device.log()}",
            Deadline(patience * Deadline().seconds),
        )["type"]
        assert got.startswith("relay"), f"connection type: got {got}, want relay-…"


def wait_for_sync(devices, files, patience=2):
    for device in devices:
        wait_for(
            lambda device=device: device.has_everything(files),
            lambda device=device: (f"{device.home.name} to have {files} files; "
                                   f"it has {device.folder_status()}; its log:\n{device.log()}"),
            Deadline(patience * Deadline().seconds),
        )


def check_equal(one, other, files):
    ours, theirs = hashes(one.folder), hashes(other.folder)
    assert len(ours) == files, f"got {len(ours)} files, want {files}"
    differing = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}
    assert not differing, f"{len(differing)} files differ: {sorted(differing)[:5]}"
