/* SPDX-License-Identifier: MPL-2.0 */

/* The table of budgets: the ports of protocols. */

#include <stddef.h>

#include "budget.h"

#define OPEN   "relay port, unknown"
#define BEFORE "relay port of proxies, before the header"
#define TLS    "relay port, TLS, unknown"
#define PLAIN  "relay port, plain, unknown"
#define KNOWN  "relay port, joined"
#define FAR    "another relay, with cluster"
#define PAIR   "relay port, session"
#define WORM   "port of wormhole-transit"

static const struct budget_row rows[] = {
	{OPEN, "connections without a join or session", "1",
		"{bounds.opening-per-source}; /56 {TIMES_56} times, /48 "
		"{TIMES_48} times",
		"{bounds.opening}",
		"bounds.opening-per-source bounds.opening TIMES_56 TIMES_48",
		"strelaysrv_bounds_reached_total{bound=opening} "
		"strelaysrv_bounds_reached_total{bound=opening-per-source}",
		true,
		"test_silent_connections_of_one_source "
		"test_the_source_that_has_most_makes_room",
		"silent one-byte one-byte-plain half-hello hello-stay "
		"handshake-silent"},
	{OPEN, "connections of any kind", "1",
		"{bounds.per-source}, at most 1/{SOURCE_SHARE} of the limit; "
		"/56 {TIMES_56} times, /48 {TIMES_48} times",
		"the next row", "bounds.per-source SOURCE_SHARE",
		"strelaysrv_bounds_reached_total{bound=per-source}", true,
		"test_connections_of_one_source "
		"test_one_source_does_not_take_every_descriptor",
		"join-stay"},
	{OPEN, "descriptors", "1", "the source with most makes room",
		"{CONNECTIONS_PERCENT} % of the hard limit",
		"max-connections CONNECTIONS_PERCENT",
		"strelaysrv_core_room_made_total{for=descriptors}", false,
		"test_a_newcomer_finds_a_descriptor "
		"test_a_newcomer_finds_a_descriptor_among_halves",
		"descriptors one-byte one-byte-plain"},
	{OPEN, "accept(2) that fails", "-", "-",
		"{1000/PAUSE_MS} tries a second for each worker", "PAUSE_MS",
		"strelaysrv_core_accept_errors_total{kind=descriptors}", false,
		"test_accept_fails_for_a_while", "descriptors"},
	{OPEN, "memory of a connection that has said nothing",
		"{BUDGET_CONNECTION_BYTES KiB}, and {BEGINNER_BYTES KiB} in "
		"the kernel",
		"as connections", "as connections",
		"BUDGET_CONNECTION_BYTES BEGINNER_BYTES",
		"strelaysrv_bounds_reached_total{bound=opening} "
		"strelaysrv_core_room_made_total{for=descriptors}",
		false, "test_an_unfinished_hello_is_not_held",
		"silent one-byte one-byte-plain half-hello"},
	{OPEN, "sources whose rates are remembered after their connections",
		"-", "1; IPv6: 3",
		"{LEDGER_IDLE_MOST}, the longest idle gives way",
		"LEDGER_IDLE_MOST", "strelaysrv_bounds_forgotten_total", true,
		"unit-ledger", "churn"},
	{OPEN, "log lines", "none above debug", "-",
		"1 of each kind in {LOG_KIND_MS ms}, {LOG_QUEUE_BYTES KiB} "
		"queued",
		"LOG_KIND_MS LOG_QUEUE_BYTES",
		"strelaysrv_core_log_dropped_total", false,
		"test_lines_of_one_kind_are_few", "junk"},
	{BEFORE, "connections whose header has not come",
		"1, and {BEGINNER_BYTES KiB} in the kernel for "
		"{PROXY_HEADER_MS ms}",
		"-",
		"{PROXY_WAITING_MOST}, at most 1/{PROXY_WAITING_SHARE} of "
		"max-connections; the one that waits longest gives way",
		"PROXY_WAITING_MOST PROXY_WAITING_SHARE PROXY_HEADER_MS "
		"BEGINNER_BYTES",
		"strelaysrv_core_proxy_connections_total{result=room} "
		"strelaysrv_core_proxy_connections_total{result=time}",
		false,
		"test_who_waits_longest_makes_room "
		"test_a_header_must_come_in_time",
		"-"},
	{BEFORE, "bytes of a header",
		"{PROXY_HEADER_MOST}, read again as they come", "-",
		"as connections", "PROXY_HEADER_MOST",
		"strelaysrv_core_proxy_connections_total{result=long}", false,
		"test_what_names_no_client_is_closed_and_counted", "-"},
	{TLS, "bytes of each of two ClientHellos",
		"{TLS_HELLO_LONGEST KiB}, in the kernel", "as connections",
		"as connections", "TLS_HELLO_LONGEST TLS_HELLO_ROOM",
		"strelaysrv_core_handshake_failures_total{kind=hello}", false,
		"test_a_hello_that_announces_too_much_is_refused_at_once "
		"test_an_unfinished_hello_is_not_held",
		"large-hello"},
	{TLS, "memory of an unfinished handshake",
		"{BUDGET_HANDSHAKE_BYTES KiB}",
		"{bounds.opening-per-source} times that",
		"{bounds.opening} times that",
		"bounds.opening BUDGET_HANDSHAKE_BYTES",
		"strelaysrv_core_room_made_total{for=module}", true,
		"test_memory_goes_back_after_failed_handshakes",
		"hello-stay handshake-silent"},
	{TLS, "worker time for handshakes",
		"one step; what costs more than usual is refused",
		"sources take turns",
		"{SLICE_US/1000 ms} of each {SLICE_INTERVAL_US/1000 ms} while "
		"others wait",
		"SLICE_US SLICE_INTERVAL_US WAIT_MAX_US",
		"strelaysrv_core_handshakes_waited_total "
		"strelaysrv_core_handshake_failures_total{kind=cipher} "
		"strelaysrv_core_handshake_failures_total{kind=late}",
		false,
		"test_joins_beside_hellos_without_end "
		"test_joins_beside_hellos_that_stay "
		"test_who_has_waited_for_too_long_is_not_served",
		"hello-close hello-stay hello-p384 handshake-leave"},
	{TLS, "computing for certificates",
		"{TLS_CERTIFICATES_MOST} certificates of "
		"{TLS_CERTIFICATE_LONGEST KiB} together; RSA: "
		"{TLS_RSA_BITS_MOST} bits, exponents of "
		"{TLS_RSA_EXPONENT_BITS_MOST}",
		"as handshakes", "as handshakes",
		"TLS_CERTIFICATES_MOST TLS_CERTIFICATE_LONGEST "
		"TLS_RSA_BITS_MOST TLS_RSA_EXPONENT_BITS_MOST",
		"strelaysrv_core_handshake_failures_total{kind=certificate}",
		false, "test_a_certificate_that_is_dear_is_refused",
		"many-certificates"},
	{TLS, "time until the first message", "{relay.message-timeout}", "-",
		"-", "relay.message-timeout",
		"strelaysrv_core_connections_closed_total{reason=timeout}",
		false,
		"test_who_stops_after_three_bytes_costs_nothing_and_is_closed",
		"half-hello hello-stay handshake-silent"},
	{TLS, "joins", "1", "{bounds.joins-per-minute} a minute", "-",
		"bounds.joins-per-minute",
		"strelaysrv_bounds_reached_total{bound=joins-per-minute}", true,
		"test_joins_of_one_source", "churn"},
	{TLS, "requests for a device", "1", "{bounds.asks-per-minute} a minute",
		"-", "bounds.asks-per-minute",
		"strelaysrv_bounds_reached_total{bound=asks-per-minute}", true,
		"test_requests_of_one_source", "pending-keys"},
	{TLS, "wrong tokens, requests for absent devices", "1",
		"{bounds.failures-per-minute} a minute", "-",
		"bounds.failures-per-minute",
		"strelaysrv_bounds_reached_total{bound=failures-per-minute}",
		true, "test_failures_of_one_source", "wrong-token ask-absent"},
	{TLS, "joins and requests about which a module takes its time",
		"1, for answer-timeout; nothing is read meanwhile",
		"{QUESTIONS_PER_SOURCE}; /56 {TIMES_56} times, /48 {TIMES_48} "
		"times; a device: {QUESTIONS_PER_DEVICE}",
		"{QUESTIONS_MOST}",
		"answer-timeout QUESTIONS_PER_SOURCE QUESTIONS_PER_DEVICE "
		"QUESTIONS_MOST",
		"strelaysrv_core_questions_refused_total{by=source} "
		"strelaysrv_core_questions_refused_total{by=device} "
		"strelaysrv_core_questions_settled_total{result=no_answer}",
		false,
		"test_a_source_has_a_bound_and_others_go_on "
		"test_a_device_has_a_bound unit-question_places",
		"-"},
	{TLS, "joins and requests that a web service decides; their quotas",
		"1, for answer-timeout", "{QUEUE_PER_SOURCE} at most",
		"{admission.queue} and {admission.connections}; "
		"{admission.cache} answers; {NAMES_MOST} names",
		"QUEUE_PER_SOURCE admission.queue admission.connections "
		"admission.cache NAMES_MOST",
		"strelaysrv_admission_failures_total{reason=source-full} "
		"strelaysrv_admission_failures_total{reason=queue-full} "
		"strelaysrv_quota_names_total{result=replaced}",
		false,
		"test_a_source_has_a_quarter_of_the_queue "
		"test_the_cache_is_bounded test_names_without_end",
		"-"},
	{TLS, "requests that wait for a device that may come back",
		"1, for relay.park-asks; nothing is read meanwhile",
		"{PARKING_PER_SOURCE}, for one device {PARKING_PER_BOTH}; "
		"a device: {PARKING_PER_DEVICE}",
		"{PARKING_MOST}, and {PARKING_DEVICES} devices that left",
		"relay.park-asks PARKING_PER_SOURCE PARKING_PER_BOTH "
		"PARKING_PER_DEVICE PARKING_MOST PARKING_DEVICES",
		"strelaysrv_relay_requests_parked_total{result=refused}", false,
		"test_a_source_and_a_device_have_bounds test_all_have_a_bound "
		"test_who_has_most_of_a_device_gives_up_a_place unit-parking",
		"ask-absent"},
	{PLAIN, "time until the session key", "{relay.guest-timeout}", "-", "-",
		"relay.guest-timeout",
		"strelaysrv_core_connections_closed_total{reason=timeout}",
		false, "test_a_guest_has_little_time", "one-byte-plain"},
	{PLAIN, "invalid bytes", "the first one closes it", "as connections",
		"as connections", "FRAME_BODY_MAX",
		"strelaysrv_relay_rejected_total{reason=bad_magic}", false,
		"test_wrong_first_bytes_end_it_at_once", "junk"},
	{PLAIN, "guessed keys, of {FRAME_OPAQUE_MAX*8} bits", "1",
		"as connections", "as connections", "FRAME_OPAQUE_MAX",
		"strelaysrv_relay_session_joins_total{result=unknown_key}",
		false, "test_those_who_have_said_what_they_want_open_no_more",
		"guessed-keys"},
	{KNOWN, "devices, sides of sessions", "1", "as connections",
		"{CONNECTIONS_PERCENT} % of the hard limit",
		"max-connections CONNECTIONS_PERCENT",
		"strelaysrv_relay_joins_total{result=full}", false,
		"test_a_join_over_the_limit_is_refused", "join-stay"},
	{KNOWN, "messages, including pings",
		"{relay.messages-per-minute} a minute, half of them at once",
		"as connections", "as connections", "relay.messages-per-minute",
		"strelaysrv_relay_rejected_total{reason=too_many_messages}",
		false, "test_a_flood_of_messages_ends", "pings"},
	{KNOWN, "unread data sent to it",
		"{RELAY_CONN_QUEUE KiB}, and {MESSAGES_BYTES KiB} in the "
		"kernel",
		"as connections", "as connections",
		"RELAY_CONN_QUEUE MESSAGES_BYTES",
		"strelaysrv_core_connections_closed_total{reason=overflow}",
		false, "test_a_device_that_reads_nothing_is_closed",
		"deaf-pings"},
	{KNOWN, "sessions that have not begun", "{relay.pending-per-device}",
		"{relay.pending-per-source}", "{relay.pending-sessions}",
		"relay.pending-per-device relay.pending-per-source "
		"relay.pending-sessions SCAN_COMPARED PENDING_EXPIRE_MOST",
		"strelaysrv_relay_sessions_given_up_total{bound=pending-per-"
		"source}",
		false, "test_a_source_that_wants_too_many_gives_up_its_own",
		"pending-keys"},
	{KNOWN, "of these, with the same requested device",
		"{relay.invitations-per-asker}",
		"{relay.invitations-per-asker}",
		"{relay.invitations-per-device}",
		"relay.invitations-per-asker relay.invitations-per-device",
		"strelaysrv_relay_sessions_given_up_total{bound=invitations} "
		"strelaysrv_relay_sessions_given_up_total{bound=turn}",
		false,
		"test_nor_do_many test_new_devices_get_through "
		"test_who_asks_again_and_again_gives_up_its_own",
		"ask-victim"},
	{FAR, "requests of devices there for devices here", "-",
		"as sessions that have not begun, together with those asked "
		"for here",
		"as sessions that have not begun",
		"relay.pending-per-device relay.pending-per-source "
		"relay.invitations-per-asker",
		"strelaysrv_relay_remote_requests_total{result=full}", false,
		"test_what_a_far_asker_may_have_is_bounded "
		"test_far_askers_of_one_source_share_its_bound",
		"-"},
	{FAR, "invitations of a device here to sessions there",
		"{1000/QUEUE_AWAY_MS} a second, others wait",
		"as sessions that have not begun",
		"as sessions that have not begun", "QUEUE_AWAY_MS",
		"strelaysrv_relay_remote_requests_total{result=elsewhere}",
		false,
		"unit-pending_remote "
		"test_many_invitations_to_other_relays_all_arrive",
		"-"},
	{PAIR, "kernel memory of a side that waits", "{BEGINNER_BYTES KiB}",
		"as sessions that wait", "as sessions that wait",
		"BEGINNER_BYTES relay.message-timeout",
		"strelaysrv_relay_sessions_expired_total "
		"strelaysrv_core_connections_closed_total{reason=reset}",
		false, "test_a_half_holds_little_and_a_session_more",
		"half-stay half-reset"},
	{PAIR, "sessions of a device", "{bounds.sessions-per-device}",
		"as connections", "half of max-connections",
		"bounds.sessions-per-device bounds.sessions",
		"strelaysrv_bounds_reached_total{bound=sessions-per-device}",
		true, "test_sessions_of_one_device", "stalled-readers"},
	{PAIR, "kernel memory while its reader stalls, after {SQUEEZE_MS ms}",
		"{PATHS} times the data in transit, at least {STALL_ALLOWED "
		"KiB} each way; what was queued before (tcp_rmem, tcp_wmem "
		"and a pipe at most) may stay for {relay.network-timeout}, or "
		"{STALL_GRACE} times that from 1 kB a second, and shrinks "
		"within {STALL_DRAIN} times that",
		"1/{MEMORY_SOURCE_PART} of the total while memory is short",
		"half of the kernel's pressure threshold",
		"session-memory SQUEEZE_MS STALL_ALLOWED PATHS "
		"LEAST_MS_PER_BYTE relay.network-timeout STALL_GRACE "
		"STALL_DRAIN MEMORY_SOURCE_PART",
		"strelaysrv_core_sessions_closed_total{reason=stalled} "
		"strelaysrv_core_sessions_closed_total{reason=pressure}",
		false,
		"test_a_reader_that_never_reads_costs_little "
		"test_for_a_reader_that_stops_after_a_fast_time_no_more_is_"
		"read test_a_reader_over_a_bad_link_keeps_its_session "
		"test_a_reader_that_drains_too_slowly_ends "
		"test_the_source_that_has_most_gives_way "
		"test_memory_of_all_is_bounded",
		"stalled-readers stalled-talkers"},
	{PAIR, "bytes a second, with rate-limit.global",
		"as others of its device",
		"as other sources, then as other devices", "the option",
		"rate-limit.global",
		"strelaysrv_rate_limit_held_back_total{limit=global}", false,
		"test_sources_share_before_their_devices_do "
		"test_devices_share_before_their_sessions_do",
		"greedy-sessions"},
	{OPEN,
		"connections that have ended, and whose last bytes are on "
		"their way",
		"{LINGER_MS ms}",
		"1/{LINGER_SOURCE_PART} of the total; twice that for a /56, "
		"four times for a /48",
		"{LINGER_MOST} for each worker, and never instead of one that "
		"a session has left",
		"LINGER_MS LINGER_MOST LINGER_SOURCE_PART",
		"strelaysrv_core_lingering_refused_total{by=source} "
		"strelaysrv_core_lingering_refused_total{by=places}",
		false,
		"test_strangers_who_stay_cost_nobody_the_last_bytes "
		"unit-linger_places",
		"guessed-keys-stay"},
	{OPEN, "of these, data that is read and discarded",
		"{LINGER_DISCARD KiB}", "that times the previous row",
		"that times the previous row", "LINGER_DISCARD",
		"strelaysrv_core_connections_cut_total", false,
		"test_who_sends_on_after_the_end_is_not_read",
		"guessed-keys-send"},
	{PAIR, "data that remains in the kernel after a session",
		"dropped after {LINGER_MS ms} without progress, after "
		"{LINGER_GRACE_MS+LINGER_DRAIN_MS ms} in any case",
		"1/{LINGER_SOURCE_PART} of the places, apart from those of "
		"other connections; of session-memory as stalled sessions",
		"{LINGER_MOST} at a time of each worker, within session-memory",
		"LINGER_MS LINGER_MOST LINGER_SOURCE_PART LINGER_GRACE_MS "
		"LINGER_DRAIN_MS session-memory",
		"strelaysrv_core_connections_cut_total", false,
		"test_a_lost_device_leaves_no_orphans "
		"test_what_a_session_leaves_counts_on "
		"test_what_a_session_leaves_goes_when_memory_is_short "
		"test_one_source_does_not_linger_in_all_places "
		"unit-linger_records",
		"full-queues"},
	{WORM, "time and bytes of a line",
		"{wormhole-transit.line-timeout}, {LINE_LONGEST} bytes",
		"as connections", "as connections",
		"wormhole-transit.line-timeout LINE_LONGEST",
		"strelaysrv_wormhole_transit_clients_total{result=slow} "
		"strelaysrv_wormhole_transit_clients_total{result="
		"bad_handshake}",
		false,
		"test_lines_and_waits_have_an_end "
		"test_a_bad_handshake_is_answered_and_closed",
		"-"},
	{WORM, "clients that wait for another one",
		"1, for {wormhole-transit.wait-timeout}; with one token "
		"{wormhole-transit.waiting-per-token}",
		"{wormhole-transit.waiting-per-source}; /56 {TIMES_56} times, "
		"/48 {TIMES_48} times",
		"{wormhole-transit.waiting}; the longest waiting gives way",
		"wormhole-transit.wait-timeout "
		"wormhole-transit.waiting-per-token "
		"wormhole-transit.waiting-per-source wormhole-transit.waiting "
		"TIMES_56 TIMES_48",
		"strelaysrv_wormhole_transit_bounds_reached_total{bound="
		"waiting} "
		"strelaysrv_wormhole_transit_bounds_reached_total{bound="
		"waiting-per-source} "
		"strelaysrv_wormhole_transit_bounds_reached_total{bound="
		"waiting-per-token}",
		false,
		"test_those_that_wait_are_bounded "
		"test_of_a_token_the_oldest_give_way",
		"-"},
};

const struct budget_row *budget_of_protocols(size_t *count)
{
	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
