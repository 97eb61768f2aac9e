/* SPDX-License-Identifier: MPL-2.0 */

/* registry_state.h - what the registry knows; for the files of this folder. */
#ifndef REDIS_REGISTRY_STATE_H
#define REDIS_REGISTRY_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cluster/redis/keys.h"
#include "cluster/redis/names.h"
#include "cluster/redis/redis_counts.h"
#include "cluster/redis/replies.h"
#include "cluster/redis/scripts.h"
#include "cluster/redis/servers.h"
#include "cluster/redis/talk.h"
#include "cluster/registry.h"
#include "shared/standing_timer.h"

/* Of a name, that many are tried. */
#define ADDRESSES 4
/* For an idle connection, a sign of life is asked for so often. */
#define HEART_US 1000000
/* A server that has said nothing for so long although it was asked is away. */
#define DEAD_US 3000000
/* A server that was slow is not asked for so long. */
#define SLOW_US 1000000
#define TICK_MS 100

enum stage {
	STAGE_PAUSE,     /* until the next try */
	STAGE_LOOKUP,    /* of the server's name */
	STAGE_CONNECT,   /* `main` */
	STAGE_GREET,     /* on `main` */
	STAGE_SUBSCRIBE, /* `sub` connects and subscribes */
	STAGE_HERE,
};

struct address {
	struct sockaddr_storage to;
	socklen_t len;
};

struct redis_registry {
	struct event_base *base;
	/* Settings. */
	struct servers servers;
	char *master, *user, *password; /* owned, may be NULL */
	char database[24];              /* "": the first */
	struct ssl_ctx_st *tls;         /* owned; NULL: without TLS */
	char *ca_file;                  /* owned; NULL: the system's */
	bool tls_failed;                /* since it was made */
	int64_t connect_us, answer_us;
	uint64_t incarnation;
	uint8_t self[8]; /* the same */
	struct keys keys;
	struct registry_calls calls;
	void *arg;
	void (*log)(void *arg, int level, const char *text);

	/* The way to a server. */
	enum stage stage;
	struct server server;
	char server_text[SERVERS_TEXT];
	struct names names;
	struct lookup *lookup; /* in `names`, while STAGE_LOOKUP */
	struct address address[ADDRESSES];
	size_t addresses, at; /* of these, the one that is tried */
	struct standing_timer timer;
	int64_t deadline_us; /* of the stage */
	unsigned failures;   /* rounds in a row */
	struct talk main, sub;
	unsigned loaded;     /* scripts */
	unsigned subscribed; /* channels */

	/* Once it is here. */
	char sha[SCRIPTS][41];
	struct reply_info info;
	char last_run_id[41]; /* "": none, or not known */
	bool slow;            /* since slow_us; told as away */
	bool away_told;
	int64_t slow_us;
	int64_t heart_us; /* when signs of life were asked for */
	bool heart_waits; /* for its answer, on `main` */
	unsigned pages;   /* of lease_all() */

	/* What has been said already. */
	char said_failed[256]; /* why the last try has failed */
	int64_t said_ms;       /* see pace.h */
	char said_policy[64];
	char said_version[48];
	int64_t said_fault_us[REDIS_FAULTS];
	struct redis_counts counts;
};

/* seek.c: the way to a server. */

/* Begins with the next server, now or after a pause. */
void seek_begin(struct redis_registry *registry, int64_t after_ms);
/* The stage's time may be over, or a lookup. */
void seek_tick(struct redis_registry *registry);
/* This server is of no use, now or any more: all that is under way is
 * answered, and the next one is tried. */
void seek_failed(struct redis_registry *registry, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* As above, and it is not the first to be tried again. */
void seek_passed_over(struct redis_registry *registry, const char *why);
/* As above, and the server has named the one to try. */
void seek_led(struct redis_registry *registry, const void *host, size_t len,
	uint64_t port, const char *why);
/* The commands' connection is greeted: subscribes. */
void seek_greeted(struct redis_registry *registry);
/* The address of this server, for a connection of `talk`. */
int seek_connect(struct redis_registry *registry, struct talk *talk,
	struct relay_err *err);

/* greet.c: the first commands and their answers. */

/* -1: no memory. */
int greet_begin(struct redis_registry *registry);
void greet_replied(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply);

/* subscription.c */
extern const struct talk_calls subscription_calls;
/* Asks for a sign of life. */
void subscription_ping(struct redis_registry *registry);

/* answers.c */

/* Tells the result of one request; reply NULL: there was none. */
void answers_take(struct redis_registry *registry, const struct asked *asked,
	const struct resp *reply);
/* Counts the fault and logs it now and then. */
void answers_fault(struct redis_registry *registry, enum redis_fault fault,
	const struct resp *reply);

/* requests.c */

/* One page of leases; `from` is terminated. */
int requests_leases(struct redis_registry *registry, const char *from);
int requests_role(struct redis_registry *registry);

/* redis_registry.c */

/* It can be used: tells it. */
void registry_here(struct redis_registry *registry);
void registry_say(struct redis_registry *registry, int level, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

/* Adds AUTH if there is a password. */
int auth_ask(struct redis_registry *registry, struct talk *talk);

#endif
