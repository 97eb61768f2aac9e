/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what relay_conn_pass_on() answers: done, later, or never. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/conn.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/pass_on.h"
#include "peers/conn_end.h"
#include "peers/conn_import.h"
#include "peers/conn_state.h"

#define MESSAGES_MOST 100000 /* fewer fit into the channel */

static struct life_state life;
static struct instance server = {.life = &life};
static enum relay_reason ended;

void conn_end(struct relay_conn *conn, enum relay_reason reason)
{
	conn->ended = true;
	ended = reason;
}

void conn_export_onward(
	const struct relay_conn *conn, struct conn_import_onward *out)
{
	(void)conn;
	*out = (struct conn_import_onward){.proxied = 0};
}

struct channel {
	int ends[2];
	int peer[2]; /* of the connection, and its other end */
	struct relay_conn conn;
};

static void make(struct channel *c)
{
	*c = (struct channel){.conn.phase = CONN_TAKEN};
	instance = &server;
	life.upgrade.pass_on_fd = -1;
	life.upgrade.pass_on_to = -1;
	assert_int_equal(handover_pair(c->ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, c->peer), 0);
	c->conn.fd = c->peer[0];
	pass_on_begin(c->ends[0]);
}

static void end(struct channel *c)
{
	pass_on_finish();
	for (int i = 0; i < 2; i++) {
		(void)close(c->peer[i]);
		(void)close(c->ends[i]);
	}
}

static enum relay_pass_on pass(struct channel *c)
{
	return relay_conn_pass_on(NULL, &c->conn, "line", 4);
}

static void a_connection_is_passed_on(void **state)
{
	struct handover_message message;
	struct channel c;

	(void)state;
	make(&c);
	assert_int_equal(pass(&c), RELAY_PASSED_ON);
	assert_true(c.conn.ended);
	assert_int_equal(ended, RELAY_END_MOVED);
	assert_int_equal(handover_receive(c.ends[1], &message), 1);
	assert_int_equal(message.word, HANDOVER_ONWARD);
	assert_int_equal(message.len, sizeof(struct conn_import_onward) + 4);
	assert_true(message.fd >= 0);
	(void)close(message.fd);
	end(&c);
}

static void while_the_channel_is_full_it_is_later(void **state)
{
	struct handover_message message;
	struct channel c;
	int sent = 0;

	(void)state;
	make(&c);
	while (sent < MESSAGES_MOST &&
		handover_send(c.ends[0], HANDOVER_TRAFFIC, "12345678", 8, -1) ==
			0)
		sent++;
	assert_in_range(sent, 1, MESSAGES_MOST - 1);
	assert_int_equal(pass(&c), RELAY_PASS_ON_LATER);
	assert_false(c.conn.ended);
	while (sent-- > 0)
		assert_int_equal(handover_receive(c.ends[1], &message), 1);
	assert_int_equal(pass(&c), RELAY_PASSED_ON);
	end(&c);
}

static void without_a_new_process_it_is_never(void **state)
{
	struct channel c;

	(void)state;
	make(&c);
	(void)close(c.ends[1]);
	c.ends[1] = -1;
	assert_int_equal(pass(&c), RELAY_PASS_ON_NEVER);
	pass_on_end();
	assert_int_equal(pass(&c), RELAY_PASS_ON_NEVER);
	assert_false(c.conn.ended);
	end(&c);
}

static void one_that_must_stay_is_never_passed_on(void **state)
{
	static const char much[CONN_IMPORT_DATA_MAX + 1];
	struct channel c;

	(void)state;
	make(&c);
	c.conn.wrote = true;
	assert_int_equal(pass(&c), RELAY_PASS_ON_NEVER);
	c.conn.wrote = false;
	c.conn.phase = CONN_PAIRED;
	assert_int_equal(pass(&c), RELAY_PASS_ON_NEVER);
	c.conn.phase = CONN_TAKEN;
	assert_int_equal(relay_conn_pass_on(NULL, &c.conn, much, sizeof(much)),
		RELAY_PASS_ON_NEVER);
	assert_false(c.conn.ended);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_passed_on),
		cmocka_unit_test(while_the_channel_is_full_it_is_later),
		cmocka_unit_test(without_a_new_process_it_is_never),
		cmocka_unit_test(one_that_must_stay_is_never_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
