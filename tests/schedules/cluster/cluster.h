/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A cluster: nodes with the real modules/cluster/claims and asks, and
 * everything around them made up: a registry of two servers that replicate
 * late, messages, devices, and what goes wrong.  Time is a number; all choices
 * follow from a seed.
 *
 * What must hold, at each moment:
 *
 * - No device is had by two nodes for longer than SOON_MS after the last thing
 *   that happened to it, or than LATE_MS if what happened could not be noticed.
 * - A device with a live connection is found by who asks the registry, with
 *   the same bounds; BACK_MS if the registry has lost it in the open.
 * - A connection that lives is ended only if another one of the device lived
 *   within the last SINCE_MS; unless somebody has forged an entry, as the epoch
 *   of a sign of life may then be that of another claim.
 * - A node has one claim of a device under way at most.
 * - A release never removes what a later claim of that node has made or found.
 * - Who asks for a device is answered once, and within ASKED_MS; if all has
 * been well with the device for SOON_MS, and no message may be lost, the answer
 * is that it was met, or that nobody has it, as it is.
 *
 * When all devices have left, the registry has nothing of a node that lives,
 * the tables are empty, and all memory is free.
 *
 * "Happened": a join, a leave, a connection that falls silent; and the time for
 * which a node that has the device hangs, cannot reach the registry, or reaches
 * another server of it.  "Could not be noticed": an entry that is evicted or
 * changed in silence, three lost messages, an operation whose answer is lost.
 *
 * The bounds.  SOON_MS: the claim, CLAIMED (6 s if two messages are lost), the
 * probe (5 s), the claim of the one that lives, ALIVE; 3 s for all round trips.
 * BACK_MS: CLAIMS_BACK_MS, ticks and round trips, a probe.  LATE_MS: a round of
 * checks, and then as SOON_MS.
 */
#ifndef CLUSTER_SCHEDULES_H
#define CLUSTER_SCHEDULES_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/asks/asks.h"
#include "cluster/claims/claims.h"

#define NODES   5
#define SERVERS 2
#define DEVICES 6
#define CONNS   2000
/* Processes, one after another, of all nodes. */
#define PROCESSES 200
#define FLIGHTS   4096

#define PROBE_MS 5000
#define LEASE_MS 10000
#define SOON_MS  15000
#define BACK_MS  10000
#define LATE_MS  (CLAIMS_CHECK_MS + SOON_MS)
#define SINCE_MS 30000
/* The timer of a server may be that late. */
#define ASKED_MS (ASKS_LIMIT_MS + 50)
/* A round trip, a message and its answer take no longer than an ask may, if
 * messages take no longer than this. */
#define PROMPT_MS 100

enum what {
	EV_TICK,
	EV_REFRESH,    /* of a node's lease */
	EV_LEASE_SEEN, /* a: of which node, b: its process */
	EV_EXECUTE,    /* an operation at the server */
	EV_ANSWER,
	EV_REPLICATE,
	EV_MESSAGE,
	EV_PROBED,
	EV_BREAK, /* a node notices that its link is gone */
	EV_CONNECT,
	EV_LEFT,    /* a node notices that a connection is gone */
	EV_RECOUNT, /* memory was short for news of a device */
	EV_WAKE,
	EV_START, /* of a node */
	EV_ACT,   /* a device does something */
	EV_CHAOS,
	EV_HEAL,
	EV_CHECK,
	EV_ASK, /* somebody asks for a device */
	EV_ASKS_TICK,
	EV_ASKS_OVER, /* it must be settled by now */
	EV_NEXT,      /* the next part begins */
};

enum op {
	OP_CLAIM, /* at the registry */
	OP_RELEASE,
	OP_FIND,
	OP_CLAIMED, /* messages */
	OP_ALIVE,
	OP_ASK,
	OP_ANSWER
};

/* An operation that the registry answers. */
struct flight {
	int device;
	uint64_t number; /* of an ask; 0: a claim */
};

struct event {
	int64_t at;
	uint32_t order;
	uint8_t what;
	uint8_t op;
	uint8_t how;
	uint8_t server;
	bool waited; /* for a node that hung */
	int node;    /* that it is for; -1: none */
	int process; /* of that node: void if it is gone */
	int device;
	unsigned link;  /* the number of the node's link */
	unsigned run;   /* of the server */
	uint64_t a, b;  /* conn, epoch, process; of claims, their serial */
	uint64_t asked; /* how many claims and releases came before */
	struct owner before, now;
};

struct server {
	bool up, primary;
	int side;
	unsigned run; /* its run_id */
	struct owner entry[DEVICES];
	uint64_t serial[DEVICES]; /* of the entries */
	uint64_t asked[DEVICES];  /* the last claim that made or checked it */
	int64_t lease_ends[PROCESSES];
};

struct node {
	bool up, hangs;
	int64_t wakes;
	int process; /* its incarnation is process + 1 */
	struct claims *claims;
	struct asks *asks;
	int side;
	int server;                    /* -1: away */
	unsigned link, run;            /* of the link, and of its server */
	int64_t executes, answers;     /* the last ones of its link */
	struct flight flight[FLIGHTS]; /* in their order */
	unsigned first, last;
	int64_t own_ends; /* of its lease, as it knows */
	int64_t woke;
	int64_t seen_ends[PROCESSES];
	unsigned conn[DEVICES]; /* 0: none */
};

struct conn {
	int device, node, process;
	bool open, answers;
};

struct device {
	int64_t happened;
	int64_t found, single; /* when it last was so */
	int64_t two_alive;     /* when two connections last lived */
	/* Since all was well. */
	unsigned lost; /* messages */
	bool unnoticed;
	bool forged; /* its entry was changed to what nobody has claimed */
	bool loose;  /* the registry may keep an entry of it for ever */
};

struct world {
	int64_t now;
	uint64_t random;
	bool trace, quiet, over;
	bool starts; /* a node */
	int part;    /* of what comes when all goes well */
	unsigned nodes;
	struct node node[NODES];
	struct server server[SERVERS];
	struct device device[DEVICES];
	struct conn conn[CONNS];
	unsigned conns, processes, runs, asks;
	uint64_t asked; /* claims and releases so far */
	/* How bad it is. */
	unsigned loss, doubled; /* of 1000 messages */
	unsigned shortage;      /* of 1000 allocations */
	unsigned failing;       /* of 1000 probes and ends */
	int64_t delay, lag, slow;
	int64_t act;               /* ms between what a device does, at most */
	int64_t calm;              /* and between disturbances */
	unsigned chaos;            /* bits: which */
	unsigned base_loss;        /* when nothing disturbs */
	struct owner old[DEVICES]; /* entries that were stored once */
	bool busy;                 /* something lasting is going on */
	bool divided;              /* into two sides */
	int64_t chaos_ends;
};

extern struct world w;

/* Totals of all schedules. */
struct totals {
	uint64_t events, joins, asks, sure, met, claims, healed, replaced,
		defended, disturbances;
};
extern struct totals totals;

/* events.c */
uint64_t random_next(void);
int64_t between(int64_t least, int64_t most);
bool chance(unsigned of_1000);
void at(int64_t when, const struct event *event);
/* For the node's present process. */
struct event event_for(int node, enum what what);
/* The next one; false: none is left. */
bool next_event(struct event *out);
void forget_events(void);
__attribute__((format(printf, 1, 2))) void trace(const char *format, ...);
__attribute__((format(printf, 1, 2))) _Noreturn void wrong(
	const char *format, ...);

/* registry.c */
void registry_begin(void);
int registry_ask(int node, enum op op, int device, enum claim_how how,
	uint64_t number, uint64_t serial);
void registry_execute(const struct event *event);
void registry_answer(const struct event *event);
void registry_replicate(const struct event *event);
/* The node's link is gone, or is made. */
void link_break(int node);
void link_connect(int node);
/* It will notice. */
void link_lose(int node, int64_t most_ms);
/* To whoever had the link when the message was sent. */
void message_send(int node, enum op op, uint64_t to, int device, uint64_t b);
/* Both reach the same one. */
bool share_server(int a, int b);
void refresh(int node);

/* nodes.c */
void node_start(int node);
void node_die(int node);
void node_tick(int node);
bool node_runs(int node);
int node_of(uint64_t incarnation); /* -1: it is gone */
const uint8_t *id_of(int device);
void message_arrives(const struct event *event);
void probe_ends(const struct event *event);

/* asking.c */
void ask_begins(void);
void asks_ticks(int node);
void asks_over(const struct event *event);
/* At its owner; and back again. */
void ask_arrives(const struct event *event);
void answer_arrives(const struct event *event);
extern const struct asks_calls asking_calls;

/* devices.c */
void device_acts(int device);
void conn_leaves(const struct event *event);
/* The node had no memory for news of a device; it looks at all of them. */
void recount_later(int node);
void recount(int node);
void conn_end(unsigned number, const char *why);
void devices_leave(void);
void happened(int device);
void unnoticed(int device);
/* The connection that the node has; 0: none. */
unsigned conn_at(int device, int node);
/* To be called before and after its connections change. */
void note_alive(int device);

/* chaos.c */
void chaos_begin(void);
void chaos(void);
void chaos_heal(const struct event *event);

/* check.c */
void check(void);
bool all_fine(void);
/* What who asks for the device through that node must be told: 1: it was met,
 * 0: nobody has it, -1: nothing is sure. */
int is_sure(int node, int device);
/* How many nodes that run have it. */
unsigned owners(int device);
/* No entry of a device that has left; `loose`: not even if it was lost from
 * sight. */
void check_left(bool loose);
void check_end(void);

/* world.c */
void play(uint64_t seed, bool traced);

#endif
