/* SPDX-License-Identifier: MPL-2.0 */

/* What the options say, checked, with the password's file. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "cluster/data.h"
#include "cluster/places.h"
#include "cluster/redis/tls.h"
#include "cluster/setup.h"
#include "shared/guard_file.h"

/* Names go into keys, logs and metrics. */
static int check_name(
	const char *option, const char *name, struct relay_err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (name[0] && strlen(name) < MESSAGE_NAME &&
		strspn(name, allowed) == strlen(name))
		return 0;
	return relay_fail(err,
		"%s: \"%.80s\" is no name; use 1 to %d letters, digits, dots, "
		"underscores and hyphens",
		option, name, MESSAGE_NAME - 1);
}

static int read_addresses(const struct conf *conf, struct message_place *v4,
	struct message_place *v6, struct relay_err *err)
{
	struct message_place place;
	struct relay_err why;

	memset(v4, 0, sizeof(*v4));
	memset(v6, 0, sizeof(*v6));
	for (size_t i = 0; conf->address[i]; i++) {
		struct message_place *to;

		if (place_parse(conf->address[i], &place, &why) != 0)
			return relay_fail(err, "address: %.230s", why.text);
		to = place.len == 4 ? v4 : v6;
		if (to->len)
			return relay_fail(err,
				"address: there are two of IPv%s, and a node "
				"tells one of each",
				place.len == 4 ? "4" : "6");
		*to = place;
	}
	return 0;
}

int setup_node(
	const struct conf *conf, char *out, size_t cap, struct relay_err *err)
{
	size_t len;

	if (conf->node[0]) {
		len = strlen(conf->node);
		if (len >= cap)
			return relay_fail(err, "node: the name is too long");
		memcpy(out, conf->node, len + 1);
	} else if (gethostname(out, cap) != 0 || !memchr(out, 0, cap)) {
		return relay_fail(
			err, "this machine's name cannot be used: set node");
	}
	return check_name("node", out, err);
}

static void settings_of(const struct conf *conf, struct redis_settings *out)
{
	memset(out, 0, sizeof(*out));
	out->servers = conf->servers;
	out->master = conf->sentinel_master;
	out->user = conf->user;
	out->database = conf->database;
	out->tls = conf->tls;
	out->ca_file = conf->ca_file;
	out->name = conf->name;
}

int setup_check(const void *values, struct relay_err *err)
{
	const struct conf *conf = values;
	struct message_place v4, v6;
	struct redis_settings settings;
	char node[MESSAGE_NAME];

	if (check_name("name", conf->name, err) != 0 ||
		setup_node(conf, node, sizeof(node), err) != 0 ||
		read_addresses(conf, &v4, &v6, err) != 0)
		return -1;
	if (conf->user[0] && !conf->password_file[0])
		return relay_fail(err,
			"user: a user needs a password; set password-file");
	settings_of(conf, &settings);
	/* Its file is read later. */
	settings.password = conf->password_file[0] ? "password" : "";
	return redis_settings_check(&settings, err);
}

/* So that -check names it; it is read again when Redis is reached. */
static int check_certificates(const struct conf *conf, struct relay_err *err)
{
	struct ssl_ctx_st *context;
	struct relay_err why;

	if (!conf->tls || !conf->ca_file[0])
		return 0;
	context = tls_context(conf->ca_file, &why);
	if (!context)
		return relay_fail(err, "ca-file: %.230s", why.text);
	tls_context_free(context);
	return 0;
}

/* The first line of the file. */
static int read_password(
	const struct conf *conf, void **out, struct relay_err *err)
{
	struct guard_file file;
	struct relay_err why;
	char *line, *password = NULL;
	bool ended = false;

	if (!conf->password_file[0])
		return 0;
	if (guard_file_read(&file, conf->password_file, &why) != 0) {
		relay_fail(err, "password-file: %.230s", why.text);
	} else if (!(line = guard_file_line(&file, &ended)) || !line[0]) {
		relay_fail(err,
			"password-file: the first line of %.150s is "
			"empty",
			conf->password_file);
	} else if (!ended) {
		relay_fail(err, "password-file: %.150s: " GUARD_FILE_NO_END,
			conf->password_file);
	} else if (strlen(line) >= sizeof(((struct setup *)0)->password)) {
		relay_fail(err,
			"password-file: the first line of %.150s has more than "
			"%zu bytes",
			conf->password_file,
			sizeof(((struct setup *)0)->password) - 1);
	} else if (!(password = strdup(line))) {
		relay_fail(err, "out of memory");
	}
	guard_file_free(&file);
	*out = password;
	return password ? 0 : -1;
}

int setup_files_read(const void *values, void **out, struct relay_err *err)
{
	*out = NULL;
	return check_certificates(values, err) == 0
		       ? read_password(values, out, err)
		       : -1;
}

void setup_files_free(void *files)
{
	if (files)
		OPENSSL_cleanse(files, strlen(files));
	free(files);
}

/* A label for each purpose, cluster and generation, so that one key says
 * nothing of another. */
static int make_key(struct relay_ctx *cx, const char *what, const char *cluster,
	int64_t generation, uint8_t out[SEAL_KEY])
{
	char label[128];

	snprintf(label, sizeof(label), "%s of %s, generation %lld", what,
		cluster, (long long)generation);
	return relay_derive_key(cx, label, out, SEAL_KEY);
}

static int make_keys(struct relay_ctx *cx, const struct conf *conf,
	struct seal_keys *out, struct relay_err *err)
{
	int64_t first = conf->generation - 1;

	out->generation = (uint32_t)conf->generation;
	for (int i = 0; i < 3; i++)
		if (make_key(cx, "messages", conf->name, first + i,
			    out->mac[i]) != 0 ||
			make_key(cx, "bodies of messages", conf->name,
				first + i, out->cipher[i]) != 0)
			return relay_fail(err,
				"no keys for messages can be made of key.pem: "
				"out of memory");
	return 0;
}

int setup_make(struct relay_ctx *cx, const struct conf *conf, const void *files,
	struct setup *out, struct relay_err *err)
{
	const char *password = files ? files : "";

	memset(out, 0, sizeof(*out));
	settings_of(conf, &out->redis);
	if (read_addresses(conf, &out->v4, &out->v6, err) != 0 ||
		make_keys(cx, conf, &out->keys, err) != 0)
		return -1;
	memcpy(out->password, password, strlen(password) + 1);
	out->redis.password = out->password;
	return 0;
}

static bool same_list(const char *const *one, const char *const *other)
{
	while (*one && *other && strcmp(*one, *other) == 0) {
		one++;
		other++;
	}
	return !*one && !*other;
}

bool setup_same_server(const struct conf *one, const struct conf *other)
{
	return same_list(one->servers, other->servers) &&
	       strcmp(one->sentinel_master, other->sentinel_master) == 0 &&
	       strcmp(one->user, other->user) == 0 &&
	       strcmp(one->ca_file, other->ca_file) == 0 &&
	       one->database == other->database && one->tls == other->tls;
}

void setup_wipe(struct setup *setup)
{
	OPENSSL_cleanse(setup->password, sizeof(setup->password));
	OPENSSL_cleanse(&setup->keys, sizeof(setup->keys));
}
