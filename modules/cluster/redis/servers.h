/* SPDX-License-Identifier: MPL-2.0 */

/*
 * servers.h - which server to try next: those that are configured, in turn, and
 * in between the one that another has named.  Pure.
 */
#ifndef REDIS_SERVERS_H
#define REDIS_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#define SERVERS_MOST 16
#define SERVERS_HOST 256
#define SERVERS_TEXT (SERVERS_HOST + 10)
/* So often in a row a server may name another one. */
#define SERVERS_LEADS 3

#define SERVERS_PORT          6379
#define SERVERS_PORT_SENTINEL 26379

struct server {
	char host[SERVERS_HOST]; /* or the path of a Unix socket */
	uint16_t port;           /* 0: a path */
	bool sentinel;
};

struct servers {
	struct server configured[SERVERS_MOST];
	size_t count;
	size_t next;        /* of `configured` */
	size_t failed;      /* in this round */
	struct server lead; /* named by another; host "": none */
	unsigned leads;     /* since the last of `configured` */
};

/* 0, or -1 with err. */
int server_read(const char *text, bool sentinel, struct server *out,
	struct relay_err *err);
/* Always fits. */
void server_text(const struct server *server, char text[SERVERS_TEXT]);

/* A list that ends with NULL.  0, or -1 with err. */
int servers_read(struct servers *servers, const char *const *list,
	bool sentinels, struct relay_err *err);
/* The one to try now. */
struct server servers_next(const struct servers *servers);
/* It has failed, or has been left.  True: each has failed since the last
 * success, so that a pause is due. */
bool servers_failed(struct servers *servers);
/* It has named another one, to be tried now.  -1: that would be once too often,
 * or it is no address; then it counts as failed. */
int servers_lead(
	struct servers *servers, const void *host, size_t len, uint64_t port);
/* It works.  When it is lost, it is tried first; Sentinels are asked. */
void servers_worked(struct servers *servers);

#endif
