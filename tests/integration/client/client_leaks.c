/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Joins by a pool until it fails, and frees everything, again and again.
 *
 *   client_leaks KEYS URI
 *
 * Prints by how much the memory in use has grown between the second round and
 * the last; the first fills what libraries keep.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include <event2/event.h>
#include <strelaysrv/client.h>

#define ROUNDS 12

static struct event_base *base;

static void joined(const char *where, void *arg)
{
	(void)where;
	(void)arg;
}

static void invited(const struct relay_client_invitation *invitation, void *arg)
{
	(void)invitation;
	(void)arg;
}

static void ended(const struct relay_client_error *why, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s\n", why->text);
	event_base_loopbreak(base);
}

static int make_round(const char *keys, const char *uri)
{
	static const struct relay_client_join_handlers handlers = {
		NULL, joined, invited, ended};
	static const struct relay_client_patience patience = {100, 100, 100};
	struct relay_client_join *join = NULL;
	struct relay_client *client;
	struct relay_err err;

	base = event_base_new();
	client = base ? relay_client_create(base, keys, &err) : NULL;
	if (client && !relay_client_set_patience(client, &patience, &err))
		join = relay_client_join(client, uri, &handlers, NULL, &err);
	if (join)
		event_base_dispatch(base);
	relay_client_join_free(join);
	relay_client_destroy(client);
	event_base_free(base);
	return join ? 0 : -1;
}

int main(int argc, char *argv[])
{
	size_t before = 0;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < ROUNDS; i++) {
		if (argc != 3 || make_round(argv[1], argv[2]))
			return 2;
		if (i == 1)
			before = mallinfo2().uordblks;
	}
	printf("%zd\n", (ssize_t)(mallinfo2().uordblks - before));
	return 0;
}
