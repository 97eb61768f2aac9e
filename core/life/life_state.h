/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: that of each of its units.
 */
#ifndef LIFE_STATE_H
#define LIFE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <event2/event.h>

#include <strelaysrv/device_id.h>

#include "base/rights.h"
#include "config/flags.h"
#include "loop/loop.h"
#include "modules/catalog.h"
#include "tls/identity.h"

struct drain_owner;

/* Made by server.c, and borrowed by other rooms as long as the server exists.
 * The whole server is struct instance. */
struct server_shared {
	struct loop control;
	struct flags flags;
	struct catalog catalog;
	struct identity identity;
	struct rights rights;
};

struct drain_state {
	_Atomic int how; /* enum relay_drain; [*] reads it */
	struct event *look;
	const struct drain_owner *owner; /* borrowed */
	int64_t begun_ms;
	int64_t told_ms, tell_ms; /* the last progress line, and the interval */
	int64_t left;             /* at the last look */
	int64_t promised;         /* of these, what modules wait for */
	bool empty;               /* at the last look */
};

struct notify_state {
	struct sockaddr_un to;
	socklen_t to_len;   /* 0: there is no service manager */
	int fd;             /* owned */
	struct event *tick; /* owned */
	int64_t patience_ms;
	const char *status;        /* borrowed; NULL: the numbers */
	int64_t devices, sessions; /* of the last STATUS=; -1: none was sent */
	unsigned silent_looks;     /* in a row, with a stuck worker */
	_Atomic bool muted;        /* another process is the main one */
	_Atomic bool hanging;      /* the last STATUS= says what hangs */
	bool deaf;                 /* the last message could not be sent */
};

struct takeover_state {
	int channel;        /* owned; -1: there is no old process */
	_Atomic int guests; /* the same while the old one takes guests, else -1;
			       read by [*] */
	struct event *news; /* owned */
	pid_t group;        /* the old process's process group */
	bool kept;
	char id[RELAY_DEVICE_ID_TEXT]; /* of the old process; "": unknown */
};

enum upgrade_stage {
	STAGE_NONE,
	STAGE_STARTING,  /* the new process runs, and has not said READY */
	STAGE_SWITCHING, /* neither process accepts until it says SERVING */
	STAGE_PROBATION, /* it serves; this process keeps the sockets, too */
	STAGE_OVER,      /* this process only drains */
};

struct upgrade_state {
	struct event_base *base; /* borrowed, as is argv */
	char *const *argv;
	enum upgrade_stage stage;
	pid_t pid;           /* of the new process; 0: none, or reaped */
	int channel;         /* owned; -1: none */
	struct event *news;  /* on the channel */
	struct event *child; /* SIGCHLD */
	struct event *timer; /* timeout, then probation, then traffic */
	bool reload;         /* SIGHUP came during the upgrade */
	bool ending;         /* the server ends when the channel does */
	int64_t told;        /* bytes of sessions that the new one knows of */
};

struct life_state {
	struct server_shared shared;
	struct drain_state drain;
	struct notify_state notify;
	struct takeover_state takeover;
	struct upgrade_state upgrade;
};

/* [C]  0, or -1 without memory. */
int life_create(void);
void life_destroy(void);

#endif
