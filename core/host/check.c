/* SPDX-License-Identifier: MPL-2.0 */

/* Checks, without changing anything, whether a start would find what it
 * needs. */

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/credentials.h"
#include "host/check.h"
#include "config/config.h"
#include "tls/identity.h"
#include "tls/identity_load.h"
#include "log/log.h"
#include "net/listen_socket.h"
#include "net/proxy_trust.h"

/* The mode of a credential means nothing: an access list gives it to the
 * server's user. */
static bool is_credential(const char *dir)
{
	const char *credentials = credentials_dir();

	return credentials && strcmp(credentials, dir) == 0;
}

void check_key_mode(const struct identity *identity, const char *dir)
{
	if (identity->key_mode & 077 && !is_credential(dir))
		log_core(RELAY_WARNING,
			"others than its owner may use %s/key.pem (mode %04o), "
			"and so impersonate this relay; chmod 600 it",
			dir, (unsigned)identity->key_mode);
}

void check_chain(const struct identity *identity, const char *dir)
{
	int more = sk_X509_num(identity->chain);

	if (more > 0)
		log_core(RELAY_NOTICE,
			"%s/cert.pem has %d certificates after the first; they "
			"are left out, since peers accept exactly one",
			dir, more);
}

static int check_keys(const char *dir, uint8_t id[32])
{
	char full[PATH_MAX];
	const char *folder = realpath(dir, full) ? full : dir;
	struct identity identity;
	struct relay_err err;

	if (identity_look(&identity, dir, NULL, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		return -1;
	}
	if (!identity.cert)
		log_core(RELAY_NOTICE,
			"there are no keys in %s yet: a start makes a pair, "
			"and with it a new ID",
			folder);
	else {
		check_chain(&identity, dir);
		check_key_mode(&identity, dir);
		memcpy(id, identity.id, sizeof(identity.id));
	}
	identity_finish(&identity);
	return 0;
}

/* Binds a socket that may share its port, and closes it before it listens.  0,
 * or the errno. */
static int try_address(const struct listen_place *place)
{
	int fd = socket(place->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int error = 0;

	if (fd < 0)
		return errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
		bind(fd, (const struct sockaddr *)&place->addr, place->len))
		error = errno;
	(void)close(fd);
	return error;
}

/* `what`: the option or listener.  `level`: how bad it is for a start if it
 * cannot bind this address. */
static int check_address(const char *what, const char *text, int64_t protocol,
	enum relay_level level)
{
	struct listen_place place;
	struct relay_err err;
	int error;

	if (listen_place_resolve(text, protocol, &place, &err) != 0) {
		log_core(RELAY_ERROR, "%s: %s", what, err.text);
		return -1;
	}
	error = try_address(&place);
	switch (error) {
	case 0:
		return 0;
	case EADDRINUSE:
		log_core(RELAY_INFO, "%s: %s is in use now", what, text);
		return 0;
	case EAFNOSUPPORT:
		/* If the address names no host, a start falls back to IPv4. */
		if (text[0] == ':' && protocol == CORE_TCP)
			return 0;
		break;
	case EACCES:
		log_core(RELAY_WARNING,
			"%s: this user may not bind %s; only root may, "
			"or the service manager for a socket that it hands "
			"over",
			what, text);
		return 0;
	default:
		break;
	}
	log_core(level, "%s: cannot bind %s: %s", what, text, strerror(error));
	return level == RELAY_ERROR ? -1 : 0;
}

/* Resolves the listen addresses into `places`, and stops at the first that does
 * not resolve.  Returns how many were resolved. */
static unsigned resolve_all(
	const struct core_conf *core, struct listen_place *places)
{
	unsigned n = 0;

	while (n < core->listener_count &&
		listen_place_resolve(core->listeners[n].address, core->protocol,
			&places[n], NULL) == 0)
		n++;
	listen_places_pair(places, core->listeners, n);
	return n;
}

static bool resolve_service(const char *text, struct listen_place *place)
{
	return text[0] &&
	       listen_place_resolve(text, CORE_TCP, place, NULL) == 0;
}

/* A start goes on without a service whose address something else has. */
static void check_service(const struct core_conf *core, const char *option,
	const char *text, const struct listen_place *place,
	const struct listen_place *places, unsigned count)
{
	char other[LISTEN_TEXT];

	for (unsigned i = 0; i < count; i++)
		if (listen_place_overlaps(&places[i], place))
			log_core(RELAY_WARNING,
				"option %s: %s and %s have an address in "
				"common: a start cannot bind both",
				option, text,
				listen_text(&core->listeners[i], other));
}

static void check_services(const struct core_conf *core,
	const struct listen_place *places, unsigned count)
{
	struct listen_place status, own;
	bool has_status = resolve_service(core->status_srv, &status);
	bool has_own = resolve_service(core->private_srv, &own);

	if (has_status)
		check_service(core, "status-srv", core->status_srv, &status,
			places, count);
	if (has_own)
		check_service(core, "private-srv", core->private_srv, &own,
			places, count);
	if (has_status && has_own && listen_place_overlaps(&status, &own))
		log_core(RELAY_WARNING,
			"option private-srv: %s and %s of status-srv have an "
			"address in common: a start cannot bind both",
			core->private_srv, core->status_srv);
}

/* A start refuses addresses that overlap. */
static int check_overlaps(const struct core_conf *core)
{
	char a[LISTEN_TEXT], b[LISTEN_TEXT];
	struct listen_place *places =
		calloc(core->listener_count + 1, sizeof(*places));
	unsigned count;
	int result = 0;

	if (!places) {
		log_core(RELAY_ERROR, "out of memory");
		return -1;
	}
	count = resolve_all(core, places);
	check_services(core, places, count);
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = i + 1; k < count; k++) {
			if (!listen_place_overlaps(&places[i], &places[k]))
				continue;
			/* A section comes after the words of `listen`. */
			log_core(RELAY_ERROR,
				"%s: %s and %s have an address in common",
				core->listeners[k].name[0]
					? core->listeners[k].origin
					: "option listen",
				listen_text(&core->listeners[i], a),
				listen_text(&core->listeners[k], b));
			result = -1;
		}
	free(places);
	return result;
}

static int check_listener(
	const struct core_conf *core, const struct core_listener *one)
{
	char what[PATH_MAX + CORE_LISTENER_NAME_MAX] = "option listen";

	if (one->name[0])
		(void)snprintf(what, sizeof(what), "%s: listener %s",
			one->origin, one->name);
	return check_address(what, one->address, core->protocol, RELAY_ERROR);
}

static int check_addresses(const struct core_conf *core)
{
	int result = check_overlaps(core);
	struct relay_err err;

	if (proxy_trust_check(core, &err) != 0) {
		log_core(RELAY_ERROR, "%s", err.text);
		result = -1;
	}
	proxy_trust_warn(core);
	for (size_t i = 0; i < core->listener_count; i++)
		result |= check_listener(core, &core->listeners[i]);
	if (core->status_srv[0])
		result |= check_address("option status-srv", core->status_srv,
			CORE_TCP, RELAY_WARNING);
	if (core->private_srv[0])
		result |= check_address("option private-srv", core->private_srv,
			CORE_TCP, RELAY_WARNING);
	return result;
}

int check_surroundings(const struct core_conf *core, uint8_t id[32])
{
	int result = check_keys(core->keys, id);

	result |= check_addresses(core);
	return result;
}
