/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Tests of what an invitation tells: each row of the table in the module's
 * README, which is the specification.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <strelaysrv/listener.h>

#include "relay/address/advertise.h"
#include "relay/address/told.h"
#include "relay/address/uri.h"

#define TABLE    "<!-- told -->"
#define CELLS    7
#define CELL     96
#define ROWS_MIN 60
#define MOST     4

enum cell { LISTENS, CAME_IN, FROM, EXT, MAPPED, TOLD, URI };

/* The text without blanks and code marks; "-" is "". */
static void clean(char *out, const char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '`' && (text[i] != ' ' || used))
			out[used++] = text[i];
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	if (strcmp(out, "-") == 0)
		out[0] = '\0';
}

static bool read_row(const char *line, char cells[CELLS][CELL])
{
	for (int i = 0; i < CELLS; i++) {
		const char *end;

		assert_int_equal(*line, '|');
		end = strchr(line + 1, '|');
		assert_non_null(end);
		assert_true(end - line < CELL);
		clean(cells[i], line + 1, (size_t)(end - line) - 1);
		line = end;
	}
	return cells[LISTENS][0] != '-' &&
	       strcmp(cells[LISTENS], "listener") != 0;
}

/* "HOST:PORT", or a host alone. */
static void read_address(const char *text, struct sockaddr_storage *out)
{
	struct ext_address ext;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	char full[CELL + 8];
	struct relay_err err;

	memset(out, 0, sizeof(*out));
	if (strcmp(text, "no longer") == 0)
		return;
	snprintf(full, sizeof(full),
		strrchr(text, ']') && text[strlen(text) - 1] == ']' ? "%s:1"
		: strchr(text, ':')                                 ? "%s"
								    : "%s:1",
		text);
	assert_int_equal(ext_address_read(&ext, "test", full, &err), 0);
	if (ext.v4.known && !ext.is_name && ext.host[0]) {
		memcpy(&v4.sin_addr, ext.v4.bytes + 12, 4);
		v4.sin_port = htons(ext.port);
		memcpy(out, &v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, ext.v6.bytes, 16);
		v6.sin6_port = htons(ext.port);
		memcpy(out, &v6, sizeof(v6));
	}
}

/* The listeners of a row, in the order of relay_listen_address(): those for
 * everybody, the private ones, and those for proxies if there are no others. */
static char listens[MOST][CELL];
static unsigned listens_count;

static bool ends_with(char *text, const char *with)
{
	size_t len = strlen(text), size = strlen(with);

	if (len < size || strcmp(text + len - size, with) != 0)
		return false;
	text[len - size] = '\0';
	return true;
}

/* Leaves the first one in the cell. */
static void read_listeners(char *cell)
{
	char kinds[3][MOST][CELL], *rest = NULL;
	unsigned count[3] = {0}, seen = 0;

	listens_count = 0;
	for (char *one = strtok_r(cell, ",", &rest); one;
		one = strtok_r(NULL, ",", &rest)) {
		unsigned kind;

		one += one[0] == ' ';
		kind = ends_with(one, " for proxies") ? 2
		       : ends_with(one, " private")   ? 1
						      : 0;
		assert_true(seen++ < MOST);
		snprintf(kinds[kind][count[kind]++], CELL, "%s", one);
	}
	for (int kind = 0; kind < 3 && (kind < 2 || !listens_count); kind++)
		for (unsigned i = 0; i < count[kind]; i++)
			memcpy(listens[listens_count++], kinds[kind][i], CELL);
}

const char *relay_listen_text(void)
{
	return listens[0];
}

int relay_listen_address(unsigned i, struct sockaddr_storage *out)
{
	if (i >= listens_count)
		return -1;
	read_address(listens[i], out);
	return 0;
}

void relay_listeners_visit(
	struct relay_ctx *cx, relay_listeners_visit_fn *visit, void *arg)
{
	(void)cx;
	(void)visit;
	(void)arg;
}

static void read_ext(struct advertise *advertise, char *text)
{
	const char *list[MOST + 1] = {NULL};
	struct relay_err err;
	char *rest = NULL;
	int count = 0;

	for (char *one = strtok_r(text, ", ", &rest); one;
		one = strtok_r(NULL, ", ", &rest)) {
		assert_true(count < MOST);
		list[count++] = one;
	}
	assert_int_equal(advertise_init(advertise, list, &err), 0);
}

/* "PORT is OUTER" of one family. */
static void read_mapped(struct advertise *advertise, const char *text, bool v6)
{
	struct advertise_mapped *mapped = v6 ? &advertise->v6 : &advertise->v4;
	struct sockaddr_storage outer;
	char *is;

	if (!text[0])
		return;
	mapped->inner = (uint16_t)strtoul(text, &is, 10);
	assert_memory_equal(is, " is ", 4);
	read_address(is + 4, &outer);
	told_address_set(&mapped->outer, &outer);
}

static void write_told(const struct told *told, char out[ADVERTISE_TEXT])
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	struct told_address address = {
		.unspecified = told->len == 0, .port = told->port};

	memcpy(address.bytes, told->bytes, 16);
	advertise_format(&address, memcmp(v4, told->bytes, 12) != 0, out);
}

static void check_uri(const struct advertise *advertise, const char *names)
{
	char got[URI_TEXT], want[URI_TEXT], host[EXT_ADDRESS_HOST];
	struct uri uri = {.host = host};
	struct relay_err err;

	advertise_uri(advertise, host, &uri.port);
	assert_int_equal(uri_format(&uri, got, sizeof(got), &err), 0);
	got[strcspn(got, "?")] = '\0';
	snprintf(want, sizeof(want), "relay://%s/", names);
	assert_string_equal(got, want);
}

static void check_row(char cells[CELLS][CELL])
{
	static struct advertise advertise;
	struct came_in in;
	struct told told;
	char got[ADVERTISE_TEXT];

	read_ext(&advertise, cells[EXT]);
	read_listeners(cells[LISTENS]);
	read_address(cells[LISTENS], &in.listener);
	read_address(cells[CAME_IN], &in.local);
	read_address(cells[FROM], &in.from);
	read_mapped(&advertise, cells[MAPPED], in.from.ss_family == AF_INET6);
	told_to(&advertise, &in, &told);
	write_told(&told, got);
	assert_string_equal(got, cells[TOLD]);
	if (cells[URI][0])
		check_uri(&advertise, cells[URI]);
}

static void every_row_holds(void **state)
{
	FILE *page = fopen(RELAY_PAGE, "r");
	char cells[CELLS][CELL], line[1024];
	bool in_table = false;
	int rows = 0;

	(void)state;
	assert_non_null(page);
	while (fgets(line, sizeof(line), page)) {
		if (strncmp(line, TABLE, strlen(TABLE)) == 0)
			in_table = true;
		else if (in_table && line[0] != '|')
			break;
		else if (in_table && read_row(line, cells)) {
			check_row(cells);
			rows++;
		}
	}
	fclose(page);
	assert_true(rows >= ROWS_MIN);
}

/* Each row that names no host says from where the client that is lost came. */
static void who_is_told_no_address_is_lost(void **state)
{
	static const struct {
		const char *ext, *mapped, *came_in, *from;
		enum told_lost lost;
	} rows[] = {
		{"", "", "10.0.0.5:22067", "192.0.2.44", TOLD_OUTSIDE},
		{"", "", "10.0.0.5:22067", "10.0.0.9", TOLD_INSIDE},
		{"", "", "10.0.0.5:22067", "100.64.0.9", TOLD_INSIDE},
		{"", "", "[fd00::5]:22067", "[fd00::9]", TOLD_INSIDE},
		{"", "", "127.0.0.1:22067", "127.0.0.1", TOLD_INSIDE},
		{"", "", "192.0.2.5:22067", "192.0.2.44", TOLD_FOLLOWS},
		{":443", "", "192.0.2.5:22067", "192.0.2.44", TOLD_OUTSIDE},
		{":443", "", "10.0.0.5:443", "192.0.2.44", TOLD_OUTSIDE},
		{":443", "", "192.0.2.5:443", "192.0.2.44", TOLD_FOLLOWS},
		{"0.0.0.0:443", "", "10.0.0.5:443", "10.0.0.9", TOLD_INSIDE},
		{"192.0.2.7:443", "", "10.0.0.5:22067", "192.0.2.44",
			TOLD_FOLLOWS},
		{"[2001:db8::7]:443", "", "10.0.0.5:22067", "192.0.2.44",
			TOLD_OUTSIDE},
		{"", "22067 is 0.0.0.0:30000", "10.0.0.5:22067", "192.0.2.44",
			TOLD_OUTSIDE},
		{"", "22067 is 192.0.2.1:30000", "10.0.0.5:22067", "192.0.2.44",
			TOLD_FOLLOWS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static struct advertise advertise;
		char ext[CELL];
		struct came_in in;
		struct told told;

		snprintf(ext, sizeof(ext), "%s", rows[i].ext);
		read_ext(&advertise, ext);
		read_mapped(&advertise, rows[i].mapped, false);
		read_address("[::]:22067", &in.listener);
		read_address(rows[i].came_in, &in.local);
		read_address(rows[i].from, &in.from);
		told_to(&advertise, &in, &told);
		if (told.lost != rows[i].lost)
			fail_msg("row %zu", i);
	}
}

static void wrong_entries_are_refused(void **state)
{
	static const char *const wrong[] = {"", "host", "host:", "host:0",
		"host:65536", "host:123456", "host:1x", "::1:443", "[::1:443",
		"=host:443", "443=host:443", "name:443=host:443",
		":443=", ":443=host", ":443=:1=:2", ":x=host:443"};
	struct ext_address ext;
	struct relay_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		err.text[0] = '\0';
		assert_int_equal(
			ext_address_read(&ext, "ext-address", wrong[i], &err),
			-1);
		assert_non_null(strstr(err.text, "write HOST:PORT"));
	}
	/* Other options tell everybody the same. */
	assert_int_equal(
		ext_address_read(&ext, "ext-status", ":1=host:443", &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_holds),
		cmocka_unit_test(who_is_told_no_address_is_lost),
		cmocka_unit_test(wrong_entries_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
