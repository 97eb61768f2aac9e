/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes what a Redis answers.  However it is cut, what is read of it stays the
 * same; and every answer, of whatever type, can be given to everybody who reads
 * answers.
 */

#include <string.h>

#include "cluster/redis/replies.h"
#include "cluster/redis/servers.h"
#include "fuzz.h"

#define LENGTHS 256 /* so many are tried one by one */

static struct resp_reader reader;

static void check_moved(const struct resp *reply)
{
	const uint8_t *host;
	size_t len;
	uint64_t port;
	static const char *const list[] = {"one", NULL};
	struct servers servers;

	if (reply_moved(reply, &host, &len, &port) != 0)
		return;
	FUZZ_CHECK(host >= reply->bytes &&
		   host + len <= reply->bytes + reply->len);
	FUZZ_CHECK(servers_read(&servers, list, false, NULL) == 0);
	if (servers_lead(&servers, host, len, port) == 0)
		FUZZ_CHECK(servers_next(&servers).port == port);
}

static void check_leases(const struct resp *reply)
{
	const struct resp *leases;
	char next[24];

	if (reply_leases(reply, next, &leases) != 0)
		return;
	FUZZ_CHECK(strlen(next) < sizeof(next) && *next);
	FUZZ_CHECK(leases->count < RESP_VALUES);
}

static void check_rows(const struct resp *reply)
{
	struct registry_page page;
	struct registry_row row;
	const struct resp *rows;

	if (reply_row(reply, &row) == 0)
		FUZZ_CHECK(row.bytes == reply->bytes && row.len == reply->len);
	if (reply_rows(reply, &page, &rows) != 0)
		return;
	FUZZ_CHECK(page.answered && rows->count < RESP_VALUES);
	for (size_t i = 0; i < rows->count; i++)
		if (reply_keyed_row(&rows->of[i], &row) == 0)
			FUZZ_CHECK(row.len > 0 &&
				   row.bytes == row.key + REGISTRY_ID);
}

static void check_texts(const struct resp *reply)
{
	char text[REPLY_TEXT], value[32], sha[41];
	struct reply_info info;

	reply_describe(reply, text);
	for (const char *at = text; *at; at++)
		FUZZ_CHECK(*at >= ' ' && *at <= '~');
	FUZZ_CHECK(reply_fault(reply) <= REDIS_FAULTS);
	if (reply_config(reply, value) == 0)
		FUZZ_CHECK(strlen(value) < sizeof(value));
	if (reply_loaded(reply, sha) == 0)
		FUZZ_CHECK(strlen(sha) == 40);
	if (reply_info(reply, &info) == 0)
		FUZZ_CHECK(strlen(info.run_id) < sizeof(info.run_id));
}

static void check_all(const struct resp *reply)
{
	struct owner before, now;
	enum find_end end;
	const uint8_t *id;
	struct reply_role role;
	const struct resp *part = NULL;
	uint64_t port;
	enum push push;

	if (reply_claim(reply, &before, &now) == 0)
		FUZZ_CHECK(now.incarnation != 0);
	if (reply_find(reply, &end) == 0)
		FUZZ_CHECK(end != FIND_UNKNOWN);
	if (reply_identify(reply, &id) == 0)
		FUZZ_CHECK(reply->len == REGISTRY_ID);
	if (reply_role(reply, &role) == 0 && role.role == ROLE_REPLICA)
		FUZZ_CHECK(role.host->type == RESP_TEXT);
	if (reply_master(reply, &part, &port) == 0 && part)
		FUZZ_CHECK(part->type == RESP_TEXT);
	if (reply_push(reply, &push, &part) == 0 && push == PUSH_MESSAGE)
		FUZZ_CHECK(part->type == RESP_TEXT);
	check_moved(reply);
	check_leases(reply);
	check_rows(reply);
	check_texts(reply);
	for (size_t i = 0; i < reply->count; i++)
		check_all(&reply->of[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum resp_end before = RESP_MORE;
	size_t first = 0;

	for (size_t len = 0; len <= size;
		len = len < LENGTHS || len == size ? len + 1 : size) {
		/* A copy of its own, so that reading behind it is seen. */
		char *copy = fuzz_text(data, len);
		const struct resp *reply;
		size_t taken;
		enum resp_end end = resp_read(
			&reader, (const uint8_t *)copy, len, &reply, &taken);

		FUZZ_CHECK(before == RESP_MORE || end == before);
		FUZZ_CHECK(end != RESP_WHOLE || taken <= len);
		if (end == RESP_WHOLE) {
			FUZZ_CHECK(before == RESP_MORE || taken == first);
			first = taken;
			check_all(reply);
		}
		before = end;
		free(copy);
	}
	return 0;
}
