# SPDX-License-Identifier: MPL-2.0
"""Which black-box tests fit a source file: those that are run first for a fault in it."""

import fnmatch

# Patterns of sources, and what of tests/integration is about them. All rows that match count,
# in this order: first those about a few files.
TOPICS = (
    ("core/base/child_process.c core/config/config_child.c core/config/config_file.c",
     "configuration/test_configuration.py reloads/test_hanging_files.py"),
    ("core/config/config_text.c", "configuration/test_wrong_configuration.py"),
    ("core/config/config.c core/config/option_list.c",
     "configuration/test_configuration.py reloads/test_reload.py"),
    ("core/host/key_check.c", "reloads/test_reload_keys.py"),
    ("core/host/reloading.c core/modules/stage.c core/modules/reload.c",
     "reloads/test_reload.py reloads/test_reload_prepared.py reloads/test_hanging_files.py"),
    ("core/http/http.c", "http/test_http_hosts.py http/test_status.py"),
    ("core/http/http_listener.c", "reloads/test_reload_status.py http/test_http_descriptors.py"),
    ("core/http/http_serve.c core/http/http_conns.c", "http/test_http_hostile.py"),
    ("core/http/http_sources.c", "http/test_http_shares.py"),
    ("core/life/server.c", "process/test_shutdown.py modules/test_modules.py"),
    ("core/modules/catalog.c", "configuration/test_list_modules.py"),
    ("core/net/proxy*", "addresses/test_proxy_protocol.py"),
    ("core/peers/handshakes.c core/peers/conn_event.c core/peers/conn_io.c",
     "protocol/test_join.py encryption/test_hello.py strangers/test_late_handshakes.py"),
    ("core/peers/conn_import.c core/peers/conn_move.c",
     "protocol/test_returning_device.py process/test_upgrade.py"),
    ("core/peers/pump.c", "sessions/test_session.py sessions/test_transfer.py"),
    ("modules/log/output.c", "process/test_log_to_stdout.py"),
    ("modules/relay/commands/*", "control/test_control_devices.py control/test_watching.py"),
    ("modules/relay/devices/device_drain.c", "process/test_drain.py"),
    ("modules/relay/devices/*", "protocol/test_returning_device.py protocol/test_join.py"),
    ("modules/relay/messages/*", "protocol/test_messages.py protocol/test_framing.py"
     " protocol/test_hostile_peers.py"),
    ("modules/relay/requests/queue* modules/relay/requests/reputation.c",
     "protocol/test_busy_devices.py"),
    ("modules/relay/requests/parking.c",
     "protocol/test_parked_asks.py protocol/test_parking_window.py"),
    ("modules/relay/requests/pending*", "protocol/test_pending_sources.py"),
    ("modules/relay/requests/holder_counts.c", "strangers/test_one_source.py"),
    ("modules/relay/settings.c", "addresses/test_ext_address.py protocol/test_uri.py"),
    ("core/base/sandbox*", "process/test_sandbox.py"),
    ("core/base/rights.c core/base/credentials.c core/life/own_rights.c core/log/rights_tell.c",
     "process/test_rights.py configuration/test_check_user.py"),
    ("core/base/cgroup.c core/workers/worker_count.c", "process/test_control_groups.py"),
    ("core/base/file_* core/modules/option_files*",
     "configuration/test_bad_files.py reloads/test_hanging_files.py"),
    ("core/base/address.c core/net/listen_socket.c core/peers/listen*",
     "addresses/test_listen.py addresses/test_listeners.py reloads/test_reload_addresses.py"
     " addresses/test_silent_addresses.py"),
    ("core/base/*", "configuration/test_wrong_configuration.py modules/test_modules.py"),
    ("core/config/flag* core/config/reserved_flags.c core/config/print_argument.c",
     "configuration/test_command_line.py configuration/test_printed_secrets.py"),
    ("core/config/config_disabled_modules.c", "configuration/test_idle_sections.py"),
    ("core/config/*", "configuration"),
    ("core/host/sandbox_fit.c", "process/test_sandbox.py"),
    ("core/host/check*", "configuration/test_check.py configuration/test_check_user.py"),
    ("core/host/list_modules.c", "configuration/test_list_modules.py"),
    ("core/config/config_listeners.c core/peers/proxy* core/peers/conn_a*",
     "addresses/test_proxy_protocol.py addresses/test_came_in.py addresses/test_listeners.py"),
    ("core/host/*", "reloads/test_reload.py reloads/test_reload_times.py reloads/test_reload_prepared.py configuration/test_check.py"
     " reloads/test_reload_addresses.py reloads/test_reload_keys.py"),
    ("core/http/*", "http/test_http_accept.py http/test_http_hostile.py http/test_http_hosts.py http/test_http_proxies.py"
     " http/test_http_shares.py http/test_http_orphans.py http/test_status.py"
     " http/test_http_descriptors.py reloads/test_reload_status.py"),
    ("core/life/ctl*", "control/test_control.py control/test_control_hostile.py"),
    ("core/life/health.c", "http/test_health.py"),
    ("core/life/launcher* core/life/sandbox_start.c", "process/test_sandbox.py process/test_upgrade.py"),
    ("core/life/upgrade* core/life/takeover.c core/life/handover.c core/life/new_process* core/life/pass_on.c",
     "process/test_upgrade.py process/test_upgrade_hangs.py process/test_upgrade_signals.py"
     " process/test_upgrade_versions.py process/test_upgrade_keys.py process/test_upgrade_channel.py"),
    ("core/life/drain*", "process/test_drain.py process/test_shutdown.py"),
    ("core/life/systemd_notify.c", "process/test_notify.py process/test_systemd.py"),
    ("core/life/unused_options.c", "process/test_layouts.py"),
    ("core/life/*", "process/test_shutdown.py process/test_odd_starts.py process/test_rights.py"
     " control/test_own_commands.py configuration/test_command_line.py"),
    ("core/log/* modules/log/*", "process/test_logging.py process/test_log_to_stdout.py"),
    ("core/loop/blocking_task.c", "reloads/test_hanging_files.py"),
    ("core/loop/crash* core/loop/code* core/loop/exit_call.c core/loop/at_exit.c",
     "process/test_crashes.py"),
    ("core/loop/*", "process/test_hangs.py process/test_crashes.py process/test_signal_running.py"
     " modules/test_slow_module.py modules/test_trace.py"),
    ("core/metrics/*", "modules/test_exporters.py modules/test_exporters_agree.py"
     " http/test_prometheus.py http/test_metrics_page.py"),
    ("core/modules/*", "modules/test_modules.py modules/test_damaged_modules.py"
     " modules/test_opened_modules.py modules/test_trace.py reloads/test_reload_prepared.py"
     " process/test_crashes.py control/test_own_commands.py"),
    ("core/net/inherited.c core/net/name_lookup.c",
     "process/test_notify.py addresses/test_silent_names.py"),
    ("core/net/stall* core/net/socket_memory.c core/net/kernel_memory.c core/peers/stall.c"
     " core/peers/session*",
     "sessions/test_stalled_sessions.py sessions/test_socket_memory.py"),
    ("core/net/*", "strangers/test_limits.py strangers/test_room.py addresses/test_listen.py"),
    ("core/peers/linger* core/peers/socket_end.c",
     "sessions/test_orphans.py sessions/test_linger_places.py"),
    ("core/peers/stranger* core/peers/suspects.c core/net/memory_by_source.c",
     "strangers/test_room.py strangers/test_sources.py strangers/test_late_handshakes.py"),
    ("core/peers/question*", "modules/test_late_answers.py modules/test_http_verdicts.py"),
    ("core/peers/*", "sessions protocol/test_join.py protocol/test_closed.py"
     " strangers/test_limits.py encryption/test_hello.py"),
    ("core/tls/identity*", "encryption/test_keys.py reloads/test_reload_keys.py"),
    ("core/tls/*", "encryption/test_tls.py encryption/test_hello.py encryption/test_keys.py"
     " encryption/test_crypto_option.py encryption/test_handshake_memory.py"
     " encryption/test_close_notify.py"),
    ("core/workers/hang_watch.c core/workers/loop_lag.c", "process/test_hangs.py"),
    ("core/workers/*", "process/test_hangs.py reloads/test_reload.py sessions/test_session.py"
     " process/test_upgrade_hangs.py"),
    ("modules/access/*", "modules/test_access.py modules/test_named_tokens.py modules/test_half_written_names.py modules/test_terms_of_leavers.py control/test_bans.py configuration/test_guards.py"),
    ("modules/admission/*", "modules/test_http_verdicts.py modules/test_http_verdict_queue.py modules/test_http_verdict_statuses.py modules/test_http_verdict_reloads.py"),
    ("modules/bounds/*", "strangers/test_bounds.py strangers/test_sources.py"
     " strangers/test_one_source.py"),
    ("modules/cluster/redis/*", "modules/test_redis_registry.py modules/test_redis_servers.py"
     " modules/test_redis_failures.py"),
    ("modules/cluster/*", "cluster"),
    ("modules/control/*", "control"),
    ("modules/wormhole-transit/*", "modules/test_wormhole.py modules/test_wormhole_server.py"
     " modules/test_wormhole_upgrade.py"),
    ("modules/csv-exporter/* modules/statsd/*", "modules/test_exporters.py modules/test_statsd.py"),
    ("modules/dashboard/*", "http/test_dashboard.py"),
    ("modules/endpoint/*", "http/test_endpoint.py http/test_endpoint_advice.py"),
    ("modules/nat/*", "addresses/test_nat.py addresses/test_nat_choices.py"
     " addresses/test_nat_hostile.py"),
    ("modules/pool-join/*", "addresses/test_pool_join.py"),
    ("modules/prometheus/*", "http/test_prometheus.py http/test_metrics_page.py"),
    ("modules/quota/*", "modules/test_quota.py process/test_wrong_clock.py"),
    ("modules/rate-limit/*", "modules/test_rate_limit.py control/test_limit_command.py"),
    ("modules/relay/address/*", "addresses/test_ext_address.py addresses/test_address_pairs.py"
     " protocol/test_uri.py"),
    ("modules/relay/commands/*", "control"),
    ("modules/relay/devices/*token*", "protocol/test_token.py"),
    ("modules/relay/sessions/*", "sessions protocol/test_timeouts.py"),
    ("modules/relay/requests/*", "protocol/test_connect.py protocol/test_invitations.py"
     " protocol/test_pending_sources.py protocol/test_busy_devices.py"),
    ("modules/relay/*", "protocol sessions/test_session.py process/test_drain.py"),
    ("modules/shared/lookup.c", "addresses/test_silent_names.py addresses/test_ext_address.py"),
    ("modules/shared/*curl*", "modules/test_http_verdicts.py addresses/test_pool_join.py"),
    ("modules/shared/*", "configuration/test_guards.py modules/test_access.py"
     " strangers/test_bounds.py"),
    ("modules/status/*", "http/test_status.py http/test_health.py"),
)


def tests_for(source):
    """Paths of tests/integration, without doubles, the fitting ones first."""
    found = {}
    for patterns, tests in TOPICS:
        if any(fnmatch.fnmatch(source, pattern) for pattern in patterns.split()):
            found.update(dict.fromkeys(f"tests/integration/{test}" for test in tests.split()))
    return list(found)


def limits(root):
    """What selects the tests marked `limits`.  It takes longer to read all files of tests than to
    run these."""
    files = [str(path.relative_to(root)) for path in sorted(root.glob("tests/integration/*/test_*.py"))
             if "@pytest.mark.limits" in path.read_text("utf-8")]
    return [*files, "-m", "limits"] if files else []
