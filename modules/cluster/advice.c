/* SPDX-License-Identifier: MPL-2.0 */

/* Warnings about addresses that may be unintended. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cluster/advice.h"
#include "cluster/data.h"
#include "cluster/places.h"

#define NO_ADDRESS                                                             \
	"no address of this node alone is known, so devices of other nodes "   \
	"cannot meet those of this one: set ext-address, or address in the "   \
	"section cluster"

/* The host of an entry [AT=]HOST:PORT, if it is a name; "" else. */
static void name_in(const char *entry, char *out, size_t cap)
{
	const char *equals = strchr(entry, '=');
	const char *host = equals ? equals + 1 : entry;
	const char *colon = strrchr(host, ':');
	unsigned char address[4];

	(void)snprintf(out, cap, "%.*s",
		(int)(colon ? (size_t)(colon - host) : strlen(host)), host);
	if (out[0] == '[' || inet_pton(AF_INET, out, address) == 1)
		out[0] = '\0';
}

void advice_names(struct relay_ctx *cx)
{
	struct relay_value value;
	char name[256];

	if (relay_option_get(cx, "relay", "ext-address", &value) != 0)
		return;
	for (size_t i = 0; value.list[i]; i++) {
		name_in(value.list[i], name, sizeof(name));
		if (name[0])
			relay_log(cx, RELAY_WARNING,
				"ext-address names the host %s: behind a name "
				"that several nodes share, the two sides of a "
				"session may reach two of them; it must lead "
				"to this node alone",
				name);
	}
}

static bool is_mapped(struct relay_ctx *cx)
{
	struct relay_value value;

	return relay_option_get(cx, "nat", "enabled", &value) == 0 &&
	       value.number;
}

/* One that is bound to a single address tells where it is. */
static void look_at(const struct relay_listener *listener, void *arg)
{
	bool *has = arg;
	const char *at = listener->address;

	*has |= at[0] != ':' && strncmp(at, "0.0.0.0:", 8) != 0 &&
		strncmp(at, "[::]:", 5) != 0;
}

void advice_check(struct relay_ctx *cx, const void *values)
{
	const struct conf *conf = values;
	struct relay_value value;
	bool has = conf->address[0] || is_mapped(cx);

	advice_names(cx);
	relay_listeners_visit(cx, look_at, &has);
	if (!has && relay_option_get(cx, "relay", "ext-address", &value) == 0 &&
		!value.list[0])
		relay_log(cx, RELAY_WARNING, NO_ADDRESS);
}

void advice_place(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	const struct node_facts *self = &data->self;
	const struct node *other;

	if (!self->v4.len && !self->v6.len) {
		/* While it is not mapped yet, nat says so. */
		if (!is_mapped(cx))
			relay_log_seldom(cx, RELAY_WARNING, &data->no_address,
				NO_ADDRESS);
		return;
	}
	other = nodes_same_place(data->nodes, self, relay_now_ms(cx));
	if (other)
		relay_log_seldom(cx, RELAY_WARNING, &data->same_place,
			"the node %s tells the same address as this one: the "
			"two sides of a session may reach two nodes; set "
			"ext-address on each to an address of its own",
			other->facts.name);
}
