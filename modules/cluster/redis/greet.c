/* SPDX-License-Identifier: MPL-2.0 */

/* The first commands on a connection, and what their answers tell. */

#include <stdio.h>
#include <string.h>

#include <strelaysrv/log.h>

#include "cluster/redis/registry_state.h"

#define OLDEST_MAJOR 6
#define OLDEST_MINOR 2

int auth_ask(struct redis_registry *registry, struct talk *talk)
{
	const struct asked asked = {.kind = ASKED_AUTH};
	const char *user = registry->user, *password = registry->password;
	struct resp_part parts[3] = {RESP_PART("AUTH")};
	size_t count = 1;

	if (!password)
		return 0;
	if (user)
		parts[count++] = (struct resp_part){user, strlen(user)};
	parts[count++] = (struct resp_part){password, strlen(password)};
	return talk_ask(talk, &asked, parts, count);
}

static int ask(struct redis_registry *registry, enum asked_kind kind,
	const struct resp_part *parts, size_t count)
{
	const struct asked asked = {.kind = kind};

	return talk_ask(&registry->main, &asked, parts, count);
}

static int ask_sentinel(struct redis_registry *registry)
{
	const char *master = registry->master;
	const struct resp_part parts[] = {RESP_PART("SENTINEL"),
		RESP_PART("get-master-addr-by-name"), {master, strlen(master)}};

	return ask(registry, ASKED_MASTER, parts, 3);
}

static int ask_select(struct redis_registry *registry)
{
	const char *number = registry->database;
	const struct resp_part parts[] = {
		RESP_PART("SELECT"), {number, strlen(number)}};

	return *number ? ask(registry, ASKED_SELECT, parts, 2) : 0;
}

static int ask_load(struct redis_registry *registry)
{
	for (size_t i = 0; i < SCRIPTS; i++) {
		const char *text = script_text[i];
		const struct asked asked = {.kind = ASKED_LOAD, .of.number = i};
		const struct resp_part parts[] = {RESP_PART("SCRIPT"),
			RESP_PART("LOAD"), {text, strlen(text)}};

		if (talk_ask(&registry->main, &asked, parts, 3) != 0)
			return -1;
	}
	return 0;
}

int greet_begin(struct redis_registry *registry)
{
	const struct resp_part role[] = {RESP_PART("ROLE")};
	const struct resp_part info[] = {
		RESP_PART("INFO"), RESP_PART("server")};
	const struct resp_part policy[] = {RESP_PART("CONFIG"),
		RESP_PART("GET"), RESP_PART("maxmemory-policy")};

	registry->loaded = 0;
	registry->info = (struct reply_info){.run_id = ""};
	if (auth_ask(registry, &registry->main) != 0)
		return -1;
	if (registry->server.sentinel)
		return ask_sentinel(registry);
	return ask_select(registry) || ask(registry, ASKED_ROLE, role, 1) ||
			       ask(registry, ASKED_INFO, info, 2) ||
			       ask(registry, ASKED_POLICY, policy, 3) ||
			       ask_load(registry)
		       ? -1
		       : 0;
}

/* A script that changes nothing: whether it may be run, and whether this server
 * keeps our keys. */
static int ask_try(struct redis_registry *registry)
{
	static const uint8_t nobody[REGISTRY_ID];
	struct key key = keys_device(&registry->keys, nobody);
	const struct resp_part parts[] = {RESP_PART("EVALSHA"),
		{registry->sha[SCRIPT_FIND], 40}, RESP_PART("1"),
		key_part(&key), {registry->self, sizeof(registry->self)},
		key_part(&registry->keys.prefix), RESP_PART("")};

	return ask(registry, ASKED_TRY, parts, 7);
}

/* As text, with the server's own words. */
static void refused(struct redis_registry *registry, const char *what,
	const struct resp *reply)
{
	char text[REPLY_TEXT];
	enum redis_fault fault = reply_fault(reply);

	registry->counts
		.faults[fault == REDIS_FAULTS ? REDIS_FAULT_REPLY : fault]++;
	reply_describe(reply, text);
	seek_failed(registry, "it refuses %s: %.100s", what, text);
}

static void take_auth(struct redis_registry *registry, const struct resp *reply)
{
	/* A Sentinel may have no password although its servers have. */
	if (!resp_is(reply, "OK") && !registry->server.sentinel)
		refused(registry,
			registry->user ? "the user or the password"
				       : "the password",
			reply);
}

static void take_role(struct redis_registry *registry, const struct resp *reply)
{
	enum redis_fault fault = reply_fault(reply);
	struct reply_role role;

	if (fault == REDIS_FAULT_RIGHTS && !reply_begins(reply, "NOAUTH")) {
		registry_say(registry, RELAY_WARNING,
			"%s does not allow ROLE, so a replica is noticed only "
			"when something is written",
			registry->server_text);
		return;
	}
	if (reply_role(reply, &role) != 0)
		refused(registry, "to tell its role", reply);
	else if (role.role == ROLE_SENTINEL)
		seek_failed(registry, "it is a Sentinel, but no name of a "
				      "master is configured");
	else if (role.role == ROLE_REPLICA)
		seek_led(registry, role.host->bytes, role.host->len, role.port,
			"it is a replica, and does not lead to its primary");
}

static void take_info(struct redis_registry *registry, const struct resp *reply)
{
	char text[sizeof(registry->said_version)];
	const struct reply_info *info = &registry->info;

	if (reply_info(reply, &registry->info) != 0)
		registry_say(registry, RELAY_WARNING,
			"%s does not allow INFO, so after each interruption "
			"all devices are claimed again",
			registry->server_text);
	(void)snprintf(text, sizeof(text), "%u.%u", info->major, info->minor);
	if (info->major == 0 || info->major > OLDEST_MAJOR ||
		(info->major == OLDEST_MAJOR && info->minor >= OLDEST_MINOR) ||
		strcmp(text, registry->said_version) == 0)
		return;
	memcpy(registry->said_version, text, sizeof(text));
	registry_say(registry, RELAY_WARNING,
		"%s is of version %s; only %d.%d and newer are tested",
		registry->server_text, text, OLDEST_MAJOR, OLDEST_MINOR);
}

static void take_policy(
	struct redis_registry *registry, const struct resp *reply)
{
	char value[32] = "?";
	bool known = reply_config(reply, value) == 0;

	if (strcmp(registry->said_policy, value) == 0)
		return;
	(void)snprintf(registry->said_policy, sizeof(registry->said_policy),
		"%s", value);
	if (!known)
		registry_say(registry, RELAY_NOTICE,
			"%s does not tell its maxmemory-policy; it should be "
			"noeviction",
			registry->server_text);
	else if (strcmp(value, "noeviction") != 0)
		registry_say(registry, RELAY_WARNING,
			"%s has the maxmemory-policy %s and may forget "
			"devices; set it to noeviction",
			registry->server_text, value);
}

static void take_loaded(struct redis_registry *registry,
	const struct asked *asked, const struct resp *reply)
{
	if (reply_loaded(reply, registry->sha[asked->of.number]) != 0)
		refused(registry, "scripts (SCRIPT LOAD)", reply);
	else if (++registry->loaded == SCRIPTS && ask_try(registry) != 0)
		seek_failed(registry, "out of memory");
}

static void take_try(struct redis_registry *registry, const struct resp *reply)
{
	const uint8_t *host;
	size_t len;
	uint64_t port;
	enum find_end end;

	if (reply_moved(reply, &host, &len, &port) == 0)
		seek_led(registry, host, len, port,
			"another server has the keys, and is not reached");
	else if (reply_find(reply, &end) != 0)
		refused(registry, "scripts (EVALSHA)", reply);
	else
		seek_greeted(registry);
}

static void take_master(
	struct redis_registry *registry, const struct resp *reply)
{
	const struct resp *host;
	uint64_t port;

	if (reply_master(reply, &host, &port) != 0)
		refused(registry, "to name the master", reply);
	else if (!host)
		seek_failed(registry, "it knows no master '%.64s'",
			registry->master);
	else
		seek_led(registry, host->bytes, host->len, port,
			"it names no usable master");
}

void greet_replied(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply)
{
	switch (asked->kind) {
	case ASKED_AUTH:
		take_auth(registry, reply);
		break;
	case ASKED_SELECT:
		if (!resp_is(reply, "OK"))
			refused(registry, "the database", reply);
		break;
	case ASKED_ROLE:
		take_role(registry, reply);
		break;
	case ASKED_INFO:
		take_info(registry, reply);
		break;
	case ASKED_POLICY:
		take_policy(registry, reply);
		break;
	case ASKED_LOAD:
		take_loaded(registry, asked, reply);
		break;
	case ASKED_TRY:
		take_try(registry, reply);
		break;
	default:
		take_master(registry, reply);
		break;
	}
}
