/* SPDX-License-Identifier: MPL-2.0 */

/* The table of budgets. */

#include "budget.h"

#define OPEN  "relay port, unknown"
#define TLS   "relay port, TLS, unknown"
#define PLAIN "relay port, plain, unknown"
#define KNOWN "relay port, joined"
#define PAIR  "relay port, session"
#define HTTP  "status and private port"
#define LAN   "the gateway, with nat"

#define CORE "strelaysrv_core_"

static const struct budget_row rows[] = {
	{OPEN, "connections without a join or session", "1",
		"256; /56 twice, /48 four times", "4,096",
		"bounds.opening-per-source bounds.opening",
		"strelaysrv_bounds_reached_total{bound=opening} "
		"strelaysrv_bounds_reached_total{bound=opening-per-source}",
		true,
		"test_silent_connections_of_one_source "
		"test_the_source_that_has_most_makes_room",
		"silent one-byte one-byte-plain half-hello hello-stay "
		"handshake-silent"},
	{OPEN, "connections of any kind", "1",
		"1,024, and an eighth of the limit; /56 twice, /48 four times",
		"the next row", "bounds.per-source",
		"strelaysrv_bounds_reached_total{bound=per-source}", true,
		"test_connections_of_one_source "
		"test_one_source_does_not_take_every_descriptor",
		"silent"},
	{OPEN, "descriptors", "1", "the source with most makes room",
		"80 % of the hard limit", "max-connections",
		CORE "room_made_total{for=descriptors}", false,
		"test_a_newcomer_finds_a_descriptor",
		"descriptors one-byte one-byte-plain"},
	{OPEN, "accept(2) that fails", "-", "-",
		"10 tries a second for each worker", "PAUSE_MS",
		CORE "accept_errors_total{kind=descriptors}", false,
		"test_accept_fails_for_a_while", "descriptors"},
	{OPEN, "log lines", "none above debug", "-",
		"1 of each kind in 10 s, 1 MiB queued", "LOG_QUEUE_BYTES",
		CORE "log_dropped_total", false,
		"test_lines_of_one_kind_are_few", "junk"},
	{TLS, "bytes of each of two ClientHellos", "16 KiB, in the kernel",
		"256 times that", "4,096 times that",
		"TLS_HELLO_LONGEST TLS_HELLO_ROOM",
		CORE "handshake_failures_total{kind=hello}", false,
		"test_a_hello_that_announces_too_much_is_refused_at_once "
		"test_an_unfinished_hello_is_not_held",
		"large-hello half-hello"},
	{TLS, "memory of an unfinished handshake", "40 KiB", "256 times that",
		"4,096 times that", "bounds.opening", CORE "strangers", true,
		"test_memory_goes_back_after_failed_handshakes",
		"hello-stay handshake-silent"},
	{TLS, "worker time for handshakes",
		"a step takes at most 3.6 times a usual handshake",
		"sources take turns", "half of each 4 ms while others wait",
		"SHARE_US SPAN_US", CORE "handshake_failures_total{kind=late}",
		false,
		"test_joins_beside_hellos_without_end "
		"test_joins_beside_hellos_that_stay",
		"hello-close hello-p384 handshake-leave"},
	{TLS, "computing for certificates",
		"one certificate, RSA exponents of 31 bits", "as handshakes",
		"as handshakes", "",
		CORE "handshake_failures_total{kind=certificate}", false,
		"test_a_certificate_that_is_dear_is_refused", ""},
	{TLS, "time until the first message", "1 minute", "-", "-",
		"relay.message-timeout",
		CORE "connections_closed_total{reason=timeout}", false,
		"test_who_stops_after_three_bytes_costs_nothing_and_is_closed",
		"half-hello hello-stay handshake-silent"},
	{TLS, "joins", "1", "600 a minute", "-", "bounds.joins-per-minute",
		"strelaysrv_bounds_reached_total{bound=joins-per-minute}", true,
		"test_joins_of_one_source", "churn"},
	{TLS, "requests for a device", "1", "1,200 a minute", "-",
		"bounds.asks-per-minute",
		"strelaysrv_bounds_reached_total{bound=asks-per-minute}", true,
		"test_requests_of_one_source", "ask-victim pending-keys"},
	{TLS, "wrong tokens, requests for absent devices", "1", "240 a minute",
		"-", "bounds.failures-per-minute",
		"strelaysrv_bounds_reached_total{bound=failures-per-minute}",
		true, "test_failures_of_one_source", "wrong-token ask-absent"},
	{PLAIN, "time until the session key", "10 s", "-", "-",
		"relay.guest-timeout",
		CORE "connections_closed_total{reason=timeout}", false,
		"test_a_guest_has_little_time", "one-byte-plain"},
	{PLAIN, "invalid bytes", "the first one closes it", "as connections",
		"as connections", "FRAME_BODY_MAX",
		"strelaysrv_relay_rejected_total{reason=bad_magic}", false,
		"test_wrong_first_bytes_end_it_at_once", "junk"},
	{PLAIN, "guessed keys, of 256 bits", "1", "as connections",
		"as connections", "FRAME_OPAQUE_MAX",
		"strelaysrv_relay_session_joins_total{result=unknown_key}",
		false, "test_those_who_have_said_what_they_want_open_no_more",
		"guessed-keys"},
	{KNOWN, "devices, sides of sessions", "1", "as connections",
		"80 % of the hard limit", "max-connections",
		"strelaysrv_relay_joins_total{result=full}", false,
		"test_a_join_over_the_limit_is_refused", "churn"},
	{KNOWN, "messages, including pings", "600 a minute", "1,024 times that",
		"-", "relay.messages-per-minute",
		"strelaysrv_relay_rejected_total{reason=too_many_messages}",
		false, "test_a_flood_of_messages_ends", "pings"},
	{KNOWN, "unread data sent to it", "16 KiB", "1,024 times that",
		"80 % of the hard limit", "RELAY_CONN_QUEUE",
		CORE "connections_closed_total{reason=overflow}", false,
		"test_a_device_that_reads_nothing_is_closed", ""},
	{KNOWN, "sessions that have not begun", "512", "1,024", "65,536",
		"relay.pending-per-device relay.pending-per-source "
		"relay.pending-sessions",
		"strelaysrv_relay_sessions_given_up_total{bound=pending-per-"
		"source}",
		false, "test_a_source_that_wants_too_many_gives_up_its_own",
		"pending-keys"},
	{KNOWN, "of these, with the same requested device", "4", "4", "256",
		"relay.invitations-per-asker relay.invitations-per-device",
		"strelaysrv_relay_sessions_given_up_total{bound=invitations}",
		false,
		"test_nor_do_many "
		"test_who_asks_again_and_again_gives_up_its_own",
		"ask-victim"},
	{PAIR, "kernel memory of a side that waits", "32 KiB",
		"as sessions that wait", "as sessions that wait",
		"BEGINNER_BYTES", "strelaysrv_relay_sessions_expired_total",
		false, "test_a_half_holds_little_and_a_session_more",
		"half-reset ask-victim"},
	{PAIR, "sessions of a device", "256", "as connections",
		"half of max-connections",
		"bounds.sessions-per-device "
		"bounds.sessions",
		"strelaysrv_bounds_reached_total{bound=sessions-per-device}",
		true, "test_sessions_of_one_device", "stalled-readers"},
	{PAIR, "kernel memory while its reader stalls",
		"8 times the data in transit, at least 512 KiB each way",
		"a sixteenth of the total while memory is short",
		"half of the kernel's pressure threshold",
		"session-memory SQUEEZE_MS STALL_ALLOWED LEAST_MS_PER_BYTE "
		"STALL_DRAIN MEMORY_SOURCE_PART",
		CORE "sessions_closed_total{reason=stalled} " CORE
		     "sessions_closed_total{reason=pressure}",
		false,
		"test_a_reader_that_never_reads_costs_little "
		"test_a_reader_over_a_bad_link_keeps_its_session "
		"test_a_reader_that_drains_too_slowly_ends "
		"test_the_source_that_has_most_gives_way "
		"test_memory_of_all_is_bounded",
		"stalled-readers full-queues"},
	{PAIR, "data that remains in the kernel after a session",
		"dropped after 3 s without progress", "-", "1,024 at a time",
		"LINGER_MS LINGER_MOST", CORE "connections_cut_total", false,
		"test_a_lost_device_leaves_no_orphans", "full-queues"},
	{HTTP, "connections", "1", "half; /56 and /48 as well",
		"256 per address, fewer with few descriptors",
		"HTTP_CONNS_MAX HTTP_SOURCE_PART",
		CORE "http_ends_total{reason=source} " CORE
		     "http_ends_total{reason=room}",
		false,
		"test_floods_of_both_ports_leave_a_place_for_a_health_check "
		"test_who_has_few_connections_keeps_them",
		"descriptors http-idle http-flood"},
	{HTTP, "bytes of a request", "8 KiB, no body",
		"half of the connections", "2 MiB per address",
		"HTTP_HEAD_MAX HTTP_BODY_MAX",
		CORE "http_requests_total{result=too_large}", false,
		"test_nothing_without_end_is_read", "http-chunk-line"},
	{HTTP, "unread answers", "one", "half of the connections",
		"8 MiB per address", "HTTP_UNSENT_MAX",
		CORE "http_ends_total{reason=unread_bytes} " CORE
		     "http_ends_total{reason=answer_time}",
		false, "test_answers_that_nobody_reads_are_bounded",
		"http-unread"},
	{HTTP, "time for a request", "10 s", "-", "-", "HTTP_READING_MS",
		CORE "http_ends_total{reason=request_time}", false,
		"test_half_a_request_is_told_that_it_took_too_long",
		"http-slow"},
	{HTTP, "time between requests", "80 s, the oldest are closed first",
		"-", "-", "HTTP_IDLE_MS", CORE "http_ends_total{reason=idle}",
		false, "test_pollers_every_ten_seconds_keep_their_connections",
		"http-idle"},
	{HTTP, "time of the control thread", "-", "10 %", "50 %",
		"HTTP_SHARE_SOURCE HTTP_SHARE_ALL",
		CORE "http_requests_total{result=delayed}", false,
		"test_a_scraper_in_a_loop_leaves_the_thread_to_others "
		"test_pipelined_scrapes_are_bounded_like_others",
		"http-pipelining http-flood"},
	{LAN, "bytes of an answer", "128 KiB", "-", "one at a time",
		"FETCH_MAX", "strelaysrv_nat_refused_total{reason=size}", false,
		"test_a_description_without_end test_an_answer_without_end",
		""},
	{LAN, "time of an answer", "10 s", "-", "one at a time", "",
		"strelaysrv_nat_refused_total{reason=time}", false,
		"test_a_gateway_that_stalls_after_it_has_mapped", ""},
	{LAN, "trusted hosts", "the gateway", "-", "8 addresses",
		"nat.gateway HOSTS_MAX",
		"strelaysrv_nat_refused_total{reason=stranger}", false,
		"test_a_stranger_who_answers_faster_is_not_believed", ""},
};

const struct budget_row *budget_all(size_t *count)
{
	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

/* Prints each name in back quotes. */
static void print_names(FILE *out, const char *names)
{
	if (!*names) {
		fputs(" |", out);
		return;
	}
	fputs(" `", out);
	for (; *names; names++)
		fputs(*names == ' ' ? "` `" : (char[]){*names, '\0'}, out);
	fputs("` |", out);
}

void budget_print(FILE *out)
{
	fputs("| where | what | per connection | per source | in total | set "
	      "by | counted by | needs bounds | tests | attacks |\n"
	      "|---|---|---|---|---|---|---|---|---|---|\n",
		out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct budget_row *row = &rows[i];

		fprintf(out, "| %s | %s | %s | %s | %s |", row->place,
			row->what, row->connection, row->source, row->all);
		print_names(out, row->by);
		print_names(out, row->counter);
		fprintf(out, " %s |", row->bounds ? "yes" : "no");
		print_names(out, row->tests);
		print_names(out, row->attacks);
		fputc('\n', out);
	}
}
