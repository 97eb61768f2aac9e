/* SPDX-License-Identifier: MPL-2.0 */

/* The service of service.h. */

#include <string.h>

#include "relay/address/own_address.h"
#include "relay/data.h"
#include "relay/service.h"
#include "shared/token_options.h"

_Static_assert(RELAY_SERVICE_URI >= URI_TEXT, "every URI fits");

static int service_uri(struct relay_ctx *self, char *out, size_t cap)
{
	return own_address_uri(self, out, cap, NULL);
}

static bool service_is_private(struct relay_ctx *self)
{
	return data_of(self)->secret.set || token_options_are_set(self);
}

static struct advertise_mapped *mapped_of(struct relay_ctx *self, int family)
{
	struct own_address *own_address = &data_of(self)->own_address;

	return family == AF_INET6 ? &own_address->mapped_v6
				  : &own_address->mapped_v4;
}

static void service_set(struct relay_ctx *self,
	const struct sockaddr_storage *address, uint16_t port)
{
	struct advertise_mapped *mapped = mapped_of(self, address->ss_family);

	mapped->inner = port;
	told_address_set(&mapped->outer, address);
	own_address_changed(self);
}

static void service_clear(struct relay_ctx *self, int family)
{
	mapped_of(self, family)->outer.known = false;
	own_address_changed(self);
}

static struct told_address *status_of(struct relay_ctx *self, int family)
{
	struct own_address *own_address = &data_of(self)->own_address;

	return family == AF_INET6 ? &own_address->status_v6
				  : &own_address->status_v4;
}

static void service_set_status(
	struct relay_ctx *self, const struct sockaddr_storage *address)
{
	told_address_set(status_of(self, address->ss_family), address);
	own_address_changed(self);
}

static void service_clear_status(struct relay_ctx *self, int family)
{
	status_of(self, family)->known = false;
	own_address_changed(self);
}

static void service_unwatch(struct relay_ctx *self, struct relay_ctx *watcher)
{
	struct own_address *own_address = &data_of(self)->own_address;

	for (size_t i = 0; i < OWN_ADDRESS_WATCHERS; i++)
		if (own_address->watchers[i].cx == watcher)
			own_address->watchers[i].cx = NULL;
}

static int service_watch(struct relay_ctx *self, struct relay_ctx *watcher,
	relay_post_fn *changed)
{
	struct own_address *own_address = &data_of(self)->own_address;

	service_unwatch(self, watcher);
	for (size_t i = 0; i < OWN_ADDRESS_WATCHERS; i++)
		if (!own_address->watchers[i].cx) {
			own_address->watchers[i].cx = watcher;
			own_address->watchers[i].changed = changed;
			return 0;
		}
	return -1;
}

static const struct relay_service service = {
	.uri = service_uri,
	.is_private = service_is_private,
	.set_external = service_set,
	.clear_external = service_clear,
	.watch = service_watch,
	.unwatch = service_unwatch,
	.set_external_status = service_set_status,
	.clear_external_status = service_clear_status,
};

int own_address_init(struct relay_ctx *cx)
{
	return relay_service_publish(
		cx, RELAY_SERVICE, RELAY_SERVICE_VERSION, &service);
}
