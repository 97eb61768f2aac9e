/* SPDX-License-Identifier: MPL-2.0 */

/* What the asking thread needs to know of the options and their files. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "setup.h"

#define PEM_MOST   1048576
#define TOKEN_MOST 4096

static int read_pem(const char *option, const char *path, const char *mark,
	struct relay_file *out, struct relay_err *err)
{
	struct relay_err why;

	if (!*path)
		return 0;
	if (relay_file_read(path, PEM_MOST, out, &why) != 0)
		return relay_fail(err, "%s: %.230s", option, why.text);
	return strstr(out->text, mark)
		       ? 0
		       : relay_fail(err,
				 "%s: there is no \"%s\" in %.150s; write it "
				 "in PEM",
				 option, mark, path);
}

/* The token is the only line, and goes into a header as it is. */
static int read_token(
	const char *path, struct relay_file *out, struct relay_err *err)
{
	struct relay_err why;
	size_t len;

	if (!*path)
		return 0;
	if (relay_file_read_whole(path, TOKEN_MOST, out, NULL, &why) != 0)
		return relay_fail(err, "token-file: %.230s", why.text);
	len = strcspn(out->text, "\r\n");
	if (len > 0 && len == out->size)
		return relay_fail(err,
			"token-file: the line in %.120s has no end, so it may "
			"be half-written; end it by a line feed, write to a "
			"new file and rename it",
			path);
	if (strspn(out->text + len, "\r\n") != out->size - len)
		return relay_fail(
			err, "token-file: %.200s has more than one line", path);
	out->text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (out->text[i] <= ' ' || out->text[i] > '~')
			len = 0;
	return len ? 0
		   : relay_fail(err,
			     "token-file: %.150s is empty, or has characters "
			     "that a token cannot have",
			     path);
}

int setup_files_read(const void *values, void **out, struct relay_err *err)
{
	const struct conf *conf = values;
	struct setup_files *files = calloc(1, sizeof(*files));

	if (!files)
		return relay_fail(err, "out of memory");
	atomic_init(&files->holders, 1);
	if (read_token(conf->token_file, &files->token, err) == 0 &&
		read_pem("ca-file", conf->ca_file, "-----BEGIN CERTIFICATE",
			&files->ca, err) == 0 &&
		read_pem("client-cert", conf->client_cert,
			"-----BEGIN CERTIFICATE", &files->cert, err) == 0 &&
		read_pem("client-key", conf->client_key, "PRIVATE KEY-----",
			&files->key, err) == 0) {
		*out = files;
		return 0;
	}
	setup_files_free(files);
	return -1;
}

void setup_files_free(void *arg)
{
	struct setup_files *files = arg;

	if (!files || atomic_fetch_sub(&files->holders, 1) > 1)
		return;
	relay_file_free(&files->token);
	relay_file_free(&files->ca);
	relay_file_free(&files->cert);
	relay_file_free(&files->key);
	free(files);
}

static char *bearer_of(const struct setup_files *files)
{
	char *header = NULL;

	return asprintf(&header, "Authorization: Bearer %s",
		       files->token.text) < 0
		       ? NULL
		       : header;
}

struct setup *setup_new(
	const void *values, struct setup_files *files, struct relay_err *err)
{
	const struct conf *conf = values;
	struct setup *setup = calloc(1, sizeof(*setup));

	if (setup) {
		atomic_init(&setup->holders, 1);
		atomic_fetch_add(&files->holders, 1);
		setup->files = files;
		setup->url = strdup(conf->url);
		setup->socket = strdup(conf->unix_socket);
		setup->bearer = files->token.text ? bearer_of(files) : NULL;
		setup->dialect = (enum dialect)conf->dialect;
		setup->connections = (unsigned)conf->connections;
		setup->retries = (unsigned)conf->retries;
		setup->places = (unsigned)(conf->connections + conf->queue);
		setup->timeout_ms = conf->timeout_ms;
		(void)snprintf(setup->agent, sizeof(setup->agent),
			"strelaysrv/%s", relay_build()->version);
		if (setup->url && setup->socket &&
			(setup->bearer || !files->token.text))
			return setup;
	}
	setup_let_go(setup);
	relay_fail(err, "out of memory");
	return NULL;
}

struct setup *setup_hold(struct setup *setup)
{
	atomic_fetch_add(&setup->holders, 1);
	return setup;
}

void setup_let_go(struct setup *setup)
{
	if (!setup || atomic_fetch_sub(&setup->holders, 1) > 1)
		return;
	if (setup->bearer)
		explicit_bzero(setup->bearer, strlen(setup->bearer));
	free(setup->bearer);
	free(setup->url);
	free(setup->socket);
	setup_files_free(setup->files);
	free(setup);
}
