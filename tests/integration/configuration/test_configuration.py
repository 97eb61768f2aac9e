# SPDX-License-Identifier: MPL-2.0
"""The configuration file: which options it and the command line set, and errors in it."""

import pytest

from relay_server import ROOT, module_folder, run


def conf(tmp_path, text):
    file = tmp_path / "relay.conf"
    file.write_text(text)
    return file


def check_refused(result, *words):
    assert result.returncode == 1, f"got {result.returncode}, want 1:\n{result.stderr}"
    for word in words:
        assert word in result.stderr, f"want {word} in:\n{result.stderr}"


@pytest.fixture
def start_with(start, plain_program, tmp_path):
    """start_with(text, *args) starts our server with a configuration file."""
    return lambda text, *args, **options: start(
        plain_program, "-conf", conf(tmp_path, text), *args, **options
    )


@pytest.mark.parametrize("count, code", [(64, 0), (65, 2)])
def test_so_many_pools_are_possible(plain_program, tmp_path, count, code):
    pools = ",".join(f"https://pool{i}.example/endpoint" for i in range(count))
    result = run(plain_program, "-pools", pools, "-keys", tmp_path, "-check", "-listen",
                 "127.0.0.1:0", "-status-srv=")
    assert result.returncode == code, result.stderr
    assert code == 0 or "65 items are too many; at most 64 are allowed" in result.stderr


@pytest.mark.parametrize("status", ["", "127.0.0.1:0"])
def test_a_published_status_that_nothing_serves_is_warned_of(start_with, status):
    server = start_with('relay { ext-status = "192.0.2.1:22070" }\n', status=status)
    assert server.count("warning relay: ext-status is told .* status-srv is empty") == (not status)


def test_the_sample_names_the_usual_buffers_of_the_kernel():
    """In new kernels tcp_rmem allows 32 MiB; the sample named 6 MiB, as in older ones."""
    lines = (ROOT / "conf" / "strelaysrv.conf").read_text().splitlines()
    text = " ".join(line.lstrip("# ") for line in lines)
    assert "up to net.ipv4.tcp_rmem and tcp_wmem (32MiB and 4MiB in new kernels)" in text
    assert "6MiB" not in text.replace("16MiB", "")


def test_the_sample_is_valid(plain_program):
    result = run(plain_program, "-check", "-conf", str(ROOT / "conf" / "strelaysrv.conf"))
    assert result.returncode == 0, f"got {result.returncode}:\n{result.stderr}"


def test_a_check_serves_nothing_and_makes_no_keys(plain_program, tmp_path):
    result = run(plain_program, "-check", "-conf", str(conf(tmp_path, "\n")), "-pools=",
                 "-keys", str(tmp_path))
    assert result.returncode == 0, f"got {result.returncode}:\n{result.stderr}"
    assert [file.name for file in tmp_path.iterdir()] == ["relay.conf"]
    assert "URI: " not in result.stderr


def test_an_empty_line_changes_nothing(start_with):
    assert start_with("\n").query["pingInterval"] == "1m0s"


def test_an_empty_file_is_what_a_crash_has_left(plain_program, tmp_path):
    """Its defaults would make a private relay public."""
    check_refused(run(plain_program, "-conf", str(conf(tmp_path, ""))), "relay.conf is empty")


def test_comments_are_allowed(start_with):
    start_with("# a comment\n// another\n/* and\n another */\n")


def test_a_file_that_is_missing_is_fatal(plain_program, tmp_path):
    check_refused(run(plain_program, "-conf", str(tmp_path / "no-such.conf")), "no-such.conf")


@pytest.mark.parametrize("text", ["\n\nno-such-option = 1\n", "\n\n= = =\n", "\n\n}\n"],
                         ids=["unknown-option", "equals-signs", "brace"])
def test_a_mistake_is_named_by_file_and_line(plain_program, tmp_path, text):
    result = run(plain_program, "-conf", str(conf(tmp_path, text)), "-pools=")
    check_refused(result, "relay.conf:3")


@pytest.mark.parametrize("modules", ['{ "no-such-module" }', '{ "relay", "no-such-module" }'])
def test_an_unknown_module_is_named(plain_program, tmp_path, modules):
    result = run(plain_program, "-conf", str(conf(tmp_path, f"modules = {modules}\n")), "-pools=",
                 "-listen", "127.0.0.1:0", "-status-srv=", "-keys", str(tmp_path))
    check_refused(result, "no-such-module")


def test_flags_of_modules_that_do_not_run_are_not_ignored_in_silence(start_with):
    server = start_with("modules = { log, relay, status }\n", "-nat", "-nat-lease", "30",
                        "-global-rate", "500000", "-per-session-rate", "0",
                        pools="https://127.0.0.1:9/endpoint")
    for flags, module in (("-pools has", "pool-join"), ("-nat, -nat-lease have", "nat"),
                          ("-global-rate has", "rate-limit")):
        server.wait_for_log(rf"warning core: {flags} no effect: the module {module} does not run; "
                            rf"add {module} to `modules` \(\S+relay\.conf:1\)")
    assert "per-session-rate" not in server.log(), "to ask for nothing is no mistake"


def test_flags_that_ask_modules_for_nothing_are_no_mistake(start_with):
    server = start_with("modules = { log, relay, status }\n", "-nat=false", "-global-rate", "0")
    assert "no effect" not in server.log()


def folder_of_counter():
    return module_folder().parent / "tests" / "modules" / "counter"


@pytest.mark.parametrize("place", ["file", "included", "variable", "not-listed", "flag"])
def test_the_file_may_say_where_modules_are(plain_program, tmp_path, place, monkeypatch):
    """The options of such a module are known, too, and are checked."""
    monkeypatch.setenv("MORE", str(folder_of_counter()))
    more = "${MORE}" if place == "variable" else folder_of_counter()
    text = f'module-dir = {{ "{module_folder()}", "{more}" }}\n'
    args = []
    if place == "included":
        (tmp_path / "folders.conf").write_text(text)
        text = 'include("folders.conf")\n'
    elif place == "flag":
        text = 'module-dir = { "/nowhere" }\n'
        args = ["-module-dir", f"{module_folder()},{folder_of_counter()}"]
    modules = "log, relay, status" + (", counter" if place != "not-listed" else "")
    text += f"modules = {{ {modules} }}\ncounter {{ step = 2 }}\n"
    result = run(plain_program, "-conf", str(conf(tmp_path, text)), *args, "-keys", str(tmp_path), "-modules")
    assert result.returncode == 0, result.stderr
    assert f"{folder_of_counter()}/counter.so" in result.stdout
    result = run(plain_program, "-conf", str(conf(tmp_path, text + "cuonter { }\n")), *args, "-check")
    check_refused(result, 'section "cuonter" belongs to no module that is installed; did you mean "counter"?')


def test_a_folder_of_modules_in_the_file_that_is_missing_is_named(plain_program, tmp_path):
    text = f'module-dir = "{tmp_path}/none"\nrelay {{ }}\n'
    for action in ([], ["-check"], ["-modules"]):
        check_refused(run(plain_program, "-conf", str(conf(tmp_path, text)), "-pools=", *action),
                      f"cannot read the module directory {tmp_path}/none: No such file")


def test_another_folder_of_modules_needs_a_restart(start_with, tmp_path):
    modules = "modules = { log, relay, status }\n"
    server = start_with(f'module-dir = {{ "{module_folder()}" }}\n{modules}')
    conf(tmp_path, f'module-dir = {{ "{module_folder()}", "{folder_of_counter()}" }}\n{modules}')
    done, log = server.reload()
    assert done and 'option module-dir changes' in log and "this needs a restart" in log, log
    conf(tmp_path, f'module-dir = {{ "{module_folder()}", "{folder_of_counter()}" }}\n'
                   "modules = { log, relay, status, counter }\n")
    done, log = server.reload()
    assert not done
    assert "module counter is not there: " in log and "module-dir has changed since the start" in log
