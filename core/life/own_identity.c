/* SPDX-License-Identifier: MPL-2.0 */

/* The server's identity at its start. */

#include <stddef.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/server.h>

#include "base/file_wait.h"
#include "base/instance.h"
#include "host/check.h"
#include "life/life_state.h"
#include "life/own_identity.h"
#include "life/takeover.h"
#include "log/log.h"
#include "modules/module.h"
#include "tls/derived_key.h"
#include "tls/identity_load.h"
#include "tls/identity_make.h"
#include "tls/tls_start.h"

#define NAME "strelaysrv" /* of the certificate, as in the Go server */

/* In the words of the Go server, which scripts look for. */
static void tell_id(const struct identity *identity)
{
	char id[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(identity->id, id);
	log_core(RELAY_DEBUG, "ID: %s", id);
}

static void tell_new(const struct identity *identity, const char *keys)
{
	char id[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(identity->id, id);
	log_core(RELAY_NOTICE,
		"made a new pair of keys in %s, since there was none: the "
		"relay's ID is %s",
		*keys ? keys : ".", id);
}

int own_identity_load(struct identity *identity, const char *keys,
	const struct rights *rights, struct relay_err *err)
{
	const struct identity_owner owner = {rights->uid, rights->gid};
	const struct identity_new fresh = {.name = NAME,
		.owner = rights_will_change(rights) ? &owner : NULL};

	int result;

	file_wait_begin(keys);
	result = identity_load(identity, keys, tls_start_libctx(),
		takeover_is() ? NULL : &fresh, err);
	file_wait_end();
	if (result != 0 ||
		takeover_check_id(
			identity->cert ? identity->id : NULL, keys, err) != 0)
		return -1;
	tell_id(identity);
	if (identity->made)
		tell_new(identity, keys);
	check_chain(identity, keys);
	check_key_mode(identity, keys);
	return 0;
}

int relay_derive_key(
	struct relay_ctx *cx, const char *label, uint8_t *out, size_t len)
{
	return derived_key(&instance->life->shared.identity, cx->mod->def.name,
		label, out, len);
}
