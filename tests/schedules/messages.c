/* SPDX-License-Identifier: MPL-2.0 */

/* The linker sends the server's calls of these functions here. */

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "modules/hooks.h"

#include "messages.h"
#include "sim.h"

#define NUMBERS     65536 /* messages under way at a time, at most */
#define ARGUMENT    2048
#define CONNECTIONS 1024

static bool handled[NUMBERS];
static uint64_t posted, delivered;

struct message {
	loop_fn *fn;
	uint64_t number;
	_Alignas(max_align_t) unsigned char arg[ARGUMENT];
};

int __real_loop_post(
	struct loop *loop, loop_fn *fn, const void *arg, size_t len);
int __wrap_loop_post(
	struct loop *loop, loop_fn *fn, const void *arg, size_t len);

static void deliver(struct loop *loop, void *arg)
{
	struct message *message = arg;

	if (handled[message->number % NUMBERS])
		sim_die("a message is handled twice");
	handled[message->number % NUMBERS] = true;
	delivered++;
	message->fn(loop, message->arg);
}

int __wrap_loop_post(
	struct loop *loop, loop_fn *fn, const void *arg, size_t len)
{
	struct message message = {.fn = fn, .number = posted};
	int result;

	if (!sim_here())
		return __real_loop_post(loop, fn, arg, len);
	if (len > ARGUMENT)
		sim_die("a message of %zu bytes", len);
	if (len)
		memcpy(message.arg, arg, len);
	handled[posted % NUMBERS] = false;
	result = __real_loop_post(
		loop, deliver, &message, offsetof(struct message, arg) + len);
	if (result != 0)
		return result;
	posted++;
	messages_posted();
	return 0;
}

void messages_check(void)
{
	if (posted != delivered)
		sim_die("%llu of %llu messages were not handled",
			(unsigned long long)(posted - delivered),
			(unsigned long long)posted);
}

/* Freed memory holds nothing that could be taken for what was there. */
void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	if (memory)
		memset(memory, 0xdd, malloc_usable_size(memory));
	__real_free(memory);
}

/* Each connection has a first hook, and then a last one. */

static const struct relay_conn *open[CONNECTIONS];

static const struct relay_conn **place_of(const struct relay_conn *conn)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (open[i] == conn)
			return &open[i];
	return NULL;
}

unsigned messages_connections(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		n += open[i] != NULL;
	return n;
}

enum relay_verdict __real_hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked);
enum relay_verdict __wrap_hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked);
enum relay_verdict __wrap_hooks_conn_accept(const struct hook_set *set,
	struct relay_conn *conn, struct relay_denial *why, uint8_t *asked)
{
	const struct relay_conn **place = place_of(NULL);

	if (place_of(conn))
		sim_die("a connection is accepted twice");
	if (!place)
		sim_die("more than %d connections", CONNECTIONS);
	*place = conn;
	return __real_hooks_conn_accept(set, conn, why, asked);
}

void __real_hooks_conn_close(const struct hook_set *set,
	const struct layout *layout, struct relay_conn *conn,
	enum relay_reason reason, uint8_t asked);
void __wrap_hooks_conn_close(const struct hook_set *set,
	const struct layout *layout, struct relay_conn *conn,
	enum relay_reason reason, uint8_t asked);
void __wrap_hooks_conn_close(const struct hook_set *set,
	const struct layout *layout, struct relay_conn *conn,
	enum relay_reason reason, uint8_t asked)
{
	const struct relay_conn **place = place_of(conn);

	if (!place)
		sim_die("a connection ends that was not accepted, or twice");
	*place = NULL;
	__real_hooks_conn_close(set, layout, conn, reason, asked);
}
