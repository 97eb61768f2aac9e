/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of which gateways are named, and of how mappings end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nat.h"
#include "own_port.h"

struct keeper {
	bool left, stopped, freed;
};

struct keeper *keeper_make(
	const struct keeper_conf *conf, struct relay_err *err)
{
	(void)conf;
	(void)err;
	return NULL;
}

void keeper_begin(struct keeper *keeper)
{
	(void)keeper;
}

int keeper_fd(const struct keeper *keeper)
{
	(void)keeper;
	return -1;
}

bool keeper_hear(struct keeper *keeper, struct keeper_news *out)
{
	(void)keeper;
	(void)out;
	return false;
}

void keeper_refusals(struct keeper *keeper, struct refusals *out)
{
	(void)keeper;
	memset(out, 0, sizeof(*out));
}

void keeper_configure(struct keeper *keeper, const struct keeper_conf *conf)
{
	(void)keeper;
	(void)conf;
}

void keeper_stop(struct keeper *keeper)
{
	if (keeper)
		keeper->stopped = true;
}

/* After it has been stopped, it has begun to remove the mapping. */
void keeper_leave(struct keeper *keeper)
{
	assert_false(keeper->stopped);
	keeper->left = true;
}

void keeper_free(struct keeper *keeper, const struct timespec *until)
{
	(void)until;
	if (keeper)
		keeper->freed = true;
}

/* The rest of the server, which these tests do not need. */

bool own_port_find(struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	(void)cx;
	(void)family;
	(void)out;
	return false;
}

bool own_port_find_status(
	struct relay_ctx *cx, int family, struct keeper_conf *out)
{
	return own_port_find(cx, family, out);
}

void news_arrive(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void news_forget(struct relay_ctx *cx, int side)
{
	(void)cx;
	(void)side;
}

const struct gateway_ops gateway_port, gateway_pinhole;

struct event_base *relay_event_base(struct relay_ctx *cx)
{
	(void)cx;
	return NULL;
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	(void)cx;
	(void)level;
	(void)fmt;
}

/* Interfaces are the kernel's to choose, unless the address names one. */
static void gateways_that_are_named_are_of_any_interface(void **state)
{
	static const char *const named[] = {
		"192.168.1.1", "fe80::1", "2001:db8::1", NULL};
	const struct conf conf = {.gateways = named};
	char text[HOST_TEXT];
	struct hosts hosts;
	struct relay_err err;

	(void)state;
	assert_int_equal(sides_read_gateways(&conf, &hosts, &err), 0);
	assert_int_equal(hosts.count, 3);
	for (unsigned i = 0; i < hosts.count; i++) {
		host_text(&hosts.list[i], text);
		assert_string_equal(text, named[i]);
		assert_int_equal(hosts.list[i].scope, 0);
	}
}

static void a_name_is_no_gateway(void **state)
{
	static const char *const named[] = {"192.168.1.1", "router", NULL};
	const struct conf conf = {.gateways = named};
	struct hosts hosts;
	struct relay_err err;

	(void)state;
	assert_int_equal(sides_read_gateways(&conf, &hosts, &err), -1);
	assert_non_null(strstr(err.text, "\"router\" is no address"));
}

static void mappings_that_another_process_has_are_left_to_it(void **state)
{
	static struct state all;
	struct relay_ctx cx = {.data = &all};
	struct keeper keepers[2] = {{.left = false}};

	(void)state;
	all.sides[IPV4].now.keeper = &keepers[0];
	all.sides[STATUS_IPV6].now.keeper = &keepers[1];
	all.sides[IPV4].mapped = true;
	sides_leave(&cx);
	for (int i = 0; i < 2; i++)
		assert_true(keepers[i].left && keepers[i].stopped &&
			    keepers[i].freed);
	for (int i = 0; i < SIDES; i++) {
		assert_null(all.sides[i].now.keeper);
		assert_false(all.sides[i].mapped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gateways_that_are_named_are_of_any_interface),
		cmocka_unit_test(a_name_is_no_gateway),
		cmocka_unit_test(
			mappings_that_another_process_has_are_left_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
