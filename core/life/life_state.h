/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The room's state: that of each of its units.
 */
#ifndef LIFE_STATE_H
#define LIFE_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <event2/event.h>

#include <strelaysrv/device_id.h>

#include "base/file_wait.h"
#include "base/posts.h"
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
	struct file_wait files; /* that the control thread waits for */
};

struct start_watch {
	struct file_wait *files; /* borrowed */
	pthread_t thread;
	struct posts over;
	bool runs; /* the two before are valid; [C] */
};

struct drain_state {
	_Atomic int how;                 /* enum relay_drain; [*] reads it */
	struct event *timer;             /* owned; the next check */
	const struct drain_owner *owner; /* borrowed */
	int64_t begun_ms;
	int64_t logged_ms, log_interval_ms; /* of progress records */
	int64_t left;                       /* at the last check */
	int64_t pending; /* of these, what modules and the upgrade wait for */
	bool empty;      /* at the last check */
};

struct notify_state {
	struct sockaddr_un address; /* of the service manager */
	socklen_t address_len;      /* 0: there is none */
	int fd;                     /* owned */
	struct event *timer;        /* owned */
	int64_t stuck_limit_ms;     /* see systemd_notify_stuck_limit_ms() */
	const char *status;         /* borrowed; NULL: the numbers */
	int64_t devices, sessions;  /* of the last STATUS=; -1: none was sent */
	unsigned stuck_checks;      /* in a row that found a stuck worker */
	_Atomic bool not_main;      /* another process is the main one */
	_Atomic bool hanging;       /* the last STATUS= says what hangs */
	bool send_failed;           /* the last message could not be sent */
};

struct takeover_state {
	int channel; /* owned; -1: there is no old process */
	/* The same while connections may be handed back, else -1; [*] reads it.
	 */
	_Atomic int hand_back_channel;
	struct event *channel_event;   /* owned */
	pid_t group;                   /* the old process's process group */
	bool keep_sent;                /* KEEP was sent, see handover.h */
	char id[RELAY_DEVICE_ID_TEXT]; /* of the old process; "": unknown */
};

enum upgrade_stage {
	STAGE_NONE,
	STAGE_PREPARING, /* there is no new process yet: upgrade_prepare.h */
	STAGE_STARTING,  /* the new process runs, and has not said READY */
	STAGE_SWITCHING, /* neither process accepts until it says SERVING */
	STAGE_PROBATION, /* it serves; this process keeps the sockets, too */
	STAGE_OVER,      /* this process only drains */
};

/* For upgrade_prepare.c. */
struct upgrade_preparation {
	void (*over)(bool started);
	struct workers_ask *ask; /* owned, as are the next three; */
	struct key_check *keys;  /* NULL: not begun, or over */
	struct new_process_launch *launch;
	struct event *timer;
	void (*look)(void);         /* what the timer calls */
	int64_t next_ms, waited_ms; /* of the current step */
};

struct upgrade_state {
	struct event_base *base; /* borrowed, as is argv */
	char *const *argv;
	enum upgrade_stage stage;
	pid_t pid;   /* of the new process; 0: none, or reaped */
	int channel; /* owned; -1: none */
	struct upgrade_preparation preparation;
	struct workers_ask *ask;     /* owned; before GO is sent */
	struct event *channel_event; /* owned, as are the next two */
	struct event *child_event;   /* SIGCHLD */
	struct event *timer; /* timeout, then probation, then upgrade_tell() */
	bool reload;         /* SIGHUP came during the upgrade */
	bool ending;         /* the server ends when the channel does */
	unsigned ending_tells;       /* calls of upgrade_tell() since then */
	bool owes_left, owes_ending; /* it has not been told, see upgrade_tell.h
				      */
	int64_t traffic_sent; /* bytes of sessions that the new one knows of */
	int pass_on_fd;       /* owned; see pass_on.h; -1: none yet */
	/* The same while connections may be passed on, else -1; [*] reads it.
	 */
	_Atomic int pass_on_to;
};

struct launcher {
	int fd;        /* of a socket to it; owned; valid if `pid` is not 0 */
	int filter_fd; /* as it; owned until launcher_take_filter(), then -1 */
	pid_t pid;     /* 0: there is none */
	_Atomic bool busy; /* it has been asked, and has not answered */
};

/* What an operator has asked for, of each kind; see operator_acts.c.  [C] */
struct acts_state {
	bool reload_asked, drain_asked, undrain_asked, upgrade_asked;
	bool waiting; /* one is posted to the loop */
};

struct life_state {
	struct server_shared shared;
	struct start_watch start_watch;
	struct drain_state drain;
	struct notify_state notify;
	struct takeover_state takeover;
	struct upgrade_state upgrade;
	struct acts_state acts;
	struct launcher launcher;
};

/* [C]  0, or -1 without memory. */
int life_create(void);
void life_destroy(void);

#endif
