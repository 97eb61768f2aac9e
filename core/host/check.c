/* SPDX-License-Identifier: MPL-2.0 */

/* Checks, without changing anything, whether a start would find what it
 * needs. */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "host/check.h"
#include "config/config.h"
#include "tls/identity.h"
#include "tls/identity_load.h"
#include "log/log.h"
#include "base/rights.h"

void check_key_mode(const struct identity *identity, const char *dir)
{
	if (identity->key_mode & 077)
		log_core(RELAY_WARNING,
			"others than its owner may use %s/key.pem (mode %04o), "
			"and with it be this relay; chmod 600 it",
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

static int check_keys(const char *dir)
{
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
			dir);
	else {
		check_chain(&identity, dir);
		check_key_mode(&identity, dir);
	}
	identity_finish(&identity);
	return 0;
}

/* Binds a socket that may share its port, and closes it before it listens.  0,
 * or the errno. */
static int try_address(const struct sockaddr_storage *addr, socklen_t len)
{
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int error = 0;

	if (fd < 0)
		return errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
		bind(fd, (const struct sockaddr *)addr, len))
		error = errno;
	(void)close(fd);
	return error;
}

/* `level`: how bad it is for a start if it cannot bind this address. */
static int check_address(const char *option, const char *text, int64_t protocol,
	enum relay_level level)
{
	struct sockaddr_storage addr;
	struct relay_err err;
	socklen_t len;
	int error;

	if (address_resolve(text, protocol, &addr, &len, &err) != 0) {
		log_core(RELAY_ERROR, "option %s: %s", option, err.text);
		return -1;
	}
	error = try_address(&addr, len);
	switch (error) {
	case 0:
		return 0;
	case EADDRINUSE:
		log_core(RELAY_INFO, "option %s: %s is in use now", option,
			text);
		return 0;
	case EAFNOSUPPORT:
		/* If the address names no host, a start falls back to IPv4. */
		if (text[0] == ':' && protocol == CORE_TCP)
			return 0;
		break;
	case EACCES:
		log_core(RELAY_WARNING,
			"option %s: %s is not for this user, but for root, or "
			"for a socket that the service manager hands over",
			option, text);
		return 0;
	default:
		break;
	}
	log_core(level, "option %s: cannot bind %s: %s", option, text,
		strerror(error));
	return level == RELAY_ERROR ? -1 : 0;
}

static int check_addresses(const struct core_conf *core)
{
	int result = 0;

	for (const char *const *text = core->listen; *text; text++)
		result |= check_address(
			"listen", *text, core->protocol, RELAY_ERROR);
	if (core->status_srv[0])
		result |= check_address("status-srv", core->status_srv,
			CORE_TCP, RELAY_WARNING);
	if (core->private_srv[0])
		result |= check_address("private-srv", core->private_srv,
			CORE_TCP, RELAY_WARNING);
	return result;
}

static int check_user(const struct core_conf *core)
{
	struct rights rights;
	struct relay_err err;

	if (rights_find(core->user, core->group, &rights, &err) == 0)
		return 0;
	log_core(RELAY_ERROR, "%s", err.text);
	return -1;
}

int check_surroundings(const struct core_conf *core)
{
	int result = check_user(core);

	result |= check_keys(core->keys);
	result |= check_addresses(core);
	return result;
}
