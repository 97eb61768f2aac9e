# SPDX-License-Identifier: MPL-2.0
"""Files for other programs in conf/: those can read them, and they name what the server has."""

import configparser
import contextlib
import re
import shutil
import subprocess

import pytest
import yaml

from privileges import flags_to_be_seen
from relay_server import ROOT, Program, module_folder, run
from waiting import PATIENCE, wait_for

OURS = Program("ours", 1)
CONTAINER = ROOT / "conf" / "container"
DEBIAN = ROOT / "conf" / "debian"
SCRIPT = ROOT / "conf" / "signal-running.sh"
PORTS = ["22067", "22070"]


def default_ports():
    shown = run(OURS, "-check", "-pools=").stdout
    return re.findall(r'^(?:listen|status-srv) = .*?":(\d+)"', shown, re.MULTILINE)


def image():
    """What the Dockerfile tells: (ports, volumes)."""
    text = (CONTAINER / "Dockerfile").read_text()
    return (re.search("^EXPOSE (.*)", text, re.MULTILINE).group(1).split(),
            re.findall(r'^VOLUME \["(.*)"\]', text, re.MULTILINE))


def check_private(words, tmp_path):
    """The flags are good, and strangers do not find the relay."""
    done = run(OURS, "-check", *words, "-listen", "127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 0, done
    assert re.search(r"^\s*pools = { } ", done.stdout, re.MULTILINE), done.stdout


def test_the_compose_file_fits_the_image(tmp_path):
    relay = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]["relay"]
    ports, volumes = image()
    assert ports == default_ports() == PORTS
    assert [port.split(":")[-1] for port in relay["ports"]] == ports
    assert [volume.split(":")[-1] for volume in relay["volumes"]] == volumes
    assert (CONTAINER / relay["build"]["context"] / relay["build"]["dockerfile"]).samefile(CONTAINER / "Dockerfile")
    assert relay["read_only"] and relay["cap_drop"] == ["ALL"] and relay["user"].split(":")[0] != "0"
    check_private(relay["command"], tmp_path)


def test_the_kubernetes_manifest_fits_the_image(tmp_path):
    parts = {part["kind"]: part for part in yaml.safe_load_all((CONTAINER / "kubernetes.yaml").read_text())}
    pod = parts["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    ports, volumes = image()
    named = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert sorted(named.values()) == ports
    for probe in ("readinessProbe", "livenessProbe"):
        (how,) = (value for key, value in container[probe].items() if isinstance(value, dict))
        assert how["port"] in named and how.get("path", "/healthz") == "/healthz"
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == volumes
    service = parts["Service"]["spec"]
    assert service["selector"] == pod["metadata"]["labels"] == parts["Deployment"]["spec"]["selector"]["matchLabels"]
    assert {port["targetPort"]: str(port["port"]) for port in service["ports"]} == named
    claim = pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == parts["PersistentVolumeClaim"]["metadata"]["name"]
    assert parts["Deployment"]["spec"]["replicas"] == 1  # two would have one ID
    assert container["securityContext"]["readOnlyRootFilesystem"]
    check_private(container["args"], tmp_path)


def test_the_profile_of_the_firewall_names_both_ports():
    profile = configparser.ConfigParser()
    (file,) = (DEBIAN / "ufw").iterdir()
    profile.read(file)
    assert profile["strelaysrv"]["ports"] == ",".join(default_ports()) + "/tcp"


@pytest.fixture
def logging_to_a_file(tmp_path):
    """A server of its own program file, by which the script finds it, and its log."""
    program, log = tmp_path / "strelaysrv", tmp_path / "logs" / "relay.log"
    shutil.copy(OURS.path, program)
    log.parent.mkdir(mode=0o755)
    server = subprocess.Popen(
        [program, "-module-dir", module_folder(), "-listen", "127.0.0.1:0", "-status-srv=", "-pools=", "-keys",
         tmp_path, "-control.socket", tmp_path / "s", "-log.target", "file", "-log.file", log,
         *flags_to_be_seen()],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: log.exists() and "ready, with modules" in log.read_text(), lambda: "the start")
        yield program, log
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_logrotate_has_the_log_opened_again(logging_to_a_file, tmp_path):
    program, log = logging_to_a_file
    text = (DEBIAN / "strelaysrv.logrotate").read_text()
    for there, here in (("/var/log/strelaysrv", str(log.parent)),
                        ("/usr/libexec/strelaysrv/signal-running", f"STRELAYSRV_PROGRAM={program} sh {SCRIPT}")):
        assert there in text
        text = text.replace(there, here)
    (tmp_path / "rotate.conf").write_text(text)
    (tmp_path / "rotate.conf").chmod(0o644)
    done = subprocess.run(["logrotate", "--force", "--state", tmp_path / "state", tmp_path / "rotate.conf"],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0 and not done.stderr, done
    old = log.with_name("relay.log.1")  # delaycompress
    assert "ready, with modules" in old.read_text()

    def new():
        with contextlib.suppress(FileNotFoundError):
            return "core: reloaded" in log.read_text()
        return False

    wait_for(new, lambda: f"a record in the new file; the old one: {old.read_text()}")
    assert "ready, with modules" not in log.read_text()
