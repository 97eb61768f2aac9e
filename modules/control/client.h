/* SPDX-License-Identifier: MPL-2.0 */

/* client.h - a connection to the control socket.  Each gives one command. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <strelaysrv/module.h>

#include "answer.h"

struct bufferevent;
struct event;

#define CLIENTS_MAX    64
#define LINE_MAX_BYTES 4096
#define WORDS_MAX      64

enum client_state {
	CLIENT_READING, /* its command has not arrived */
	CLIENT_RUNNING,
	CLIENT_ENDING, /* the rest of the answer is sent */
};

/* Why a connection was ended before its answer was sent; labels of a metric. */
enum client_end {
	CLIENT_ROOM,   /* for a newer one */
	CLIENT_TIME,   /* no command came in time */
	CLIENT_LINE,   /* the command was too long, or half a line */
	CLIENT_UNREAD, /* it did not read its answer */
	CLIENT_LEFT,   /* it has gone */
	CLIENT_ENDS
};

struct client {
	struct client *next, *prev; /* utlist */
	struct relay_ctx *cx;       /* control's, on the control thread */
	struct bufferevent *buffer; /* owned */
	struct event *soon;         /* owned; calls the command again */
	enum client_state state;
	struct answer answer;
	pid_t pid;
	uid_t uid;
	bool may;         /* give commands */
	int64_t moved_ms; /* when bytes last came or went */
	int64_t beat_ms;  /* when something was last written */
	const struct relay_command_def *def; /* compared only; NULL: none */
	char line[LINE_MAX_BYTES + 1];
	const char *words[WORDS_MAX + 1]; /* in `line`; the first is the name */
};

struct clients {
	struct client *all; /* oldest first */
	unsigned count;
	struct relay_timer *timer; /* NULL: there are none */
	int64_t refused;           /* accepting failed: try again then */
	struct relay_log_kind strangers;
};

#endif
