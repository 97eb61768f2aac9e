/* SPDX-License-Identifier: MPL-2.0 */

/* The table of budgets: HTTP, the gateway and the control socket. */

#include <stddef.h>

#include "budget.h"

#define HTTP "status and private port"
#define LAN  "the gateway, with nat"
#define CTL  "control socket, any local user"

static const struct budget_row rows[] = {
	{HTTP, "connections", "1", "1/{HTTP_SOURCE_PART}; /56 and /48 as well",
		"{HTTP_CONNS_MAX} per address, fewer with few descriptors",
		"HTTP_CONNS_MAX HTTP_SOURCE_PART",
		"strelaysrv_core_http_ends_total{reason=source} "
		"strelaysrv_core_http_ends_total{reason=room}",
		false,
		"test_floods_of_both_ports_leave_a_place_for_a_health_check "
		"test_who_has_few_connections_keeps_them",
		"descriptors http-idle"},
	{HTTP, "bytes of a request", "{HTTP_HEAD_MAX KiB}, no body",
		"1/{HTTP_SOURCE_PART} of the connections",
		"{HTTP_CONNS_MAX*HTTP_HEAD_MAX KiB} per address",
		"HTTP_HEAD_MAX HTTP_BODY_MAX",
		"strelaysrv_core_http_requests_total{result=too_large}", false,
		"test_nothing_without_end_is_read",
		"http-long-head http-chunk-line"},
	{HTTP, "unread answers",
		"one, and {2*SEND_BUFFER KiB} in the kernel, for "
		"{HTTP_WRITING_MS ms}; {HTTP_LINGERING_MS ms} after the last",
		"1/{HTTP_SOURCE_PART} of the connections",
		"{HTTP_UNSENT_MAX KiB} per address, and "
		"{HTTP_CONNS_MAX*2*SEND_BUFFER KiB} in the kernel",
		"HTTP_UNSENT_MAX SEND_BUFFER HTTP_WRITING_MS "
		"HTTP_LINGERING_MS",
		"strelaysrv_core_http_ends_total{reason=unread_bytes} "
		"strelaysrv_core_http_ends_total{reason=answer_time}",
		false, "test_answers_that_nobody_reads_are_bounded",
		"http-unread http-last-unread"},
	{HTTP, "data that remains in the kernel after a connection",
		"one last answer, for {HTTP_OWED_MS ms}", "-",
		"{HTTP_OWED_MOST} such answers in that time per address",
		"HTTP_OWED_MS HTTP_OWED_MOST", "strelaysrv_core_http_cut_total",
		false,
		"test_who_is_evicted_leaves_nothing_in_the_kernel "
		"test_the_end_of_the_server_leaves_nothing_for_long",
		"http-half-unread"},
	{HTTP, "time for a request", "{HTTP_READING_MS ms}", "-", "-",
		"HTTP_READING_MS",
		"strelaysrv_core_http_ends_total{reason=request_time}", false,
		"test_half_a_request_is_told_that_it_took_too_long",
		"http-slow"},
	{HTTP, "time between requests",
		"{HTTP_IDLE_MS ms}, the oldest are closed first", "-", "-",
		"HTTP_IDLE_MS",
		"strelaysrv_core_http_ends_total{reason=idle} "
		"strelaysrv_core_http_ends_total{reason=room}",
		false, "test_pollers_keep_their_connections", "http-idle"},
	{HTTP,
		"time of the control thread; accepting and reading count, but "
		"only answers wait",
		"-",
		"{HTTP_SHARE_SOURCE/10} %; once the total is reached, an equal "
		"part of it",
		"{HTTP_SHARE_ALL/10} %", "HTTP_SHARE_SOURCE HTTP_SHARE_ALL",
		"strelaysrv_core_http_requests_total{result=delayed}", false,
		"test_a_scraper_in_a_loop_leaves_the_thread_to_others "
		"test_pipelined_scrapes_are_bounded_like_others "
		"test_many_sources_together_are_held_back_and_who_asks_seldom_"
		"is_not unit-http_sources",
		"http-pipelining http-flood"},
	{LAN, "bytes of an answer", "{FETCH_MAX KiB}", "-", "one at a time",
		"FETCH_MAX", "strelaysrv_nat_refused_total{reason=size}", false,
		"test_a_description_without_end test_an_answer_without_end",
		"gateway-endless"},
	{LAN, "time of an answer", "{nat.timeout}", "-", "one at a time",
		"nat.timeout", "strelaysrv_nat_refused_total{reason=time}",
		false, "test_a_gateway_that_stalls_after_it_has_mapped",
		"gateway-slow"},
	{LAN, "trusted hosts", "the gateway", "-", "{HOSTS_MAX} addresses",
		"nat.gateway HOSTS_MAX",
		"strelaysrv_nat_refused_total{reason=stranger}", false,
		"test_a_stranger_who_answers_faster_is_not_believed",
		"lan-stranger"},
	{CTL, "connections", "1", "-",
		"{CLIENTS_MAX}, the longest idle gives way", "CLIENTS_MAX",
		"strelaysrv_control_connections_ended_total{reason=room}",
		false, "test_two_hundred_clients_that_never_read", "-"},
	{CTL, "bytes of a command", "{LINE_MAX_BYTES KiB}", "-",
		"as connections", "LINE_MAX_BYTES",
		"strelaysrv_control_connections_ended_total{reason=line}",
		false, "test_half_lines_and_long_lines_are_refused", "-"},
	{CTL, "time until a command has come", "{READING_MS ms}", "-",
		"as connections", "READING_MS",
		"strelaysrv_control_connections_ended_total{reason=time}",
		false, "test_two_hundred_clients_that_never_read", "-"},
	{CTL, "an answer that is not read",
		"{OUT_LOW KiB} and one portion, {UNREAD_MS ms}", "-",
		"as connections", "OUT_LOW UNREAD_MS",
		"strelaysrv_control_connections_ended_total{reason=unread}",
		false,
		"test_a_client_that_does_not_read_holds_little_and_is_ended",
		"-"},
	{CTL, "events of `follow` that wait", "{FOLLOW_RING}", "-",
		"{FOLLOWERS_MAX} clients; {EVENTS_PER_S} events/s of a worker",
		"FOLLOW_RING FOLLOWERS_MAX EVENTS_PER_S",
		"strelaysrv_relay_events_lost_total", false,
		"test_a_follower_that_does_not_read_loses_events_and_is_told",
		"-"},
};

const struct budget_row *budget_of_others(size_t *count)
{
	*count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
