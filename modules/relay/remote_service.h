/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_service.h - for a module that connects several relays: devices that
 * are here are invited for one who asks at another relay.
 *
 * All functions are [C]; `self` is the context from relay_service_find().
 * Answers are posted to `to` on the control thread, each with the number of its
 * question; if there is no memory for that, no answer comes, and lost() rises.
 * `to` is a context of the control thread that has called watch().
 *
 * Who is here is told by the hooks peer_joined and peer_left.  A connection is
 * in each() from before its peer_joined on, and not any more when its peer_left
 * is called: call each() once, when these hooks are in use, and again if news
 * of them was lost.
 */
#ifndef REMOTE_SERVICE_H
#define REMOTE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/device_id.h>
#include <strelaysrv/question.h>
#include <strelaysrv/thread.h>

struct relay_ctx;

#define RELAY_REMOTE_SERVICE         "relay.remote"
#define RELAY_REMOTE_SERVICE_VERSION 1

struct remote_ask {
	uint64_t number; /* the caller's */
	uint8_t asker[RELAY_DEVICE_ID_LEN];
	uint8_t target[RELAY_DEVICE_ID_LEN];
	/* The asker's address; all whose family is neither AF_INET nor AF_INET6
	 * count as one source. */
	struct sockaddr_storage from;
};

enum remote_end {
	REMOTE_INVITED,
	REMOTE_ABSENT,  /* the device is not here */
	REMOTE_REFUSED, /* by the hook peer_asked of a module */
	REMOTE_CLOSED,  /* the server takes no new sessions (it drains, or its
			   quota is used up): hold it elsewhere */
	REMOTE_FULL,    /* a bound of relay was reached */
	REMOTE_ERROR,   /* no memory */
};

struct remote_answer {
	uint64_t number;
	enum remote_end end;
	uint8_t key[RELAY_DEVICE_ID_LEN]; /* the asker's, if invited here */
};

/* One connection of a device. */
struct remote_conn {
	uint64_t number; /* as in struct remote_ask */
	uint8_t id[RELAY_DEVICE_ID_LEN];
	int worker;
	uint64_t conn; /* relay_conn_id() there */
	bool alive;    /* in answers, and for end() */
};

struct relay_remote_service {
	/*
	 * Before `to` is used, in start or later; again does no harm.  0, or
	 * -1: too many modules watch.
	 */
	int (*watch)(struct relay_ctx *self, struct relay_ctx *to);
	/* In stop, or when start fails.  What is under way goes on, and its
	 * answers come to nobody. */
	void (*unwatch)(struct relay_ctx *self, struct relay_ctx *to);
	/*
	 * Invites `target`, which is here, to a session with `asker` that is
	 * held here.  0 and `answered` with struct remote_answer, or -1.
	 */
	int (*invite)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *answered, const struct remote_ask *ask);
	/*
	 * The same for a session that is held by another relay, where the
	 * device says its own key found->key.  The device is told the address
	 * of its connection's family: found[0] has one of IPv4 and found[1] one
	 * of IPv6; the other one if that is missing (key_len 0).  It goes on
	 * when the server is closed.  It counts for message-timeout among the
	 * sessions that the asker has requested and to which the device is
	 * invited; a device gets four of these a second, others wait.
	 */
	int (*invite_elsewhere)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *answered, const struct remote_ask *ask,
		const struct relay_found found[2]);
	/*
	 * Holds a session of two devices that both may be elsewhere: key[0] is
	 * the asker's, key[1] the other's.  At once; REMOTE_INVITED,
	 * REMOTE_CLOSED, REMOTE_FULL or REMOTE_ERROR.  The hook peer_asked is
	 * not called: the relay asks that invites the device.
	 */
	enum remote_end (*prepare)(struct relay_ctx *self,
		const struct remote_ask *ask,
		uint8_t key[2][RELAY_DEVICE_ID_LEN]);
	/*
	 * Asks a joined connection for a sign of life (a ping, 5 s).  0 and
	 * `probed` with struct remote_conn, or -1.  The connection does not end
	 * by this.  One that has ended is not alive.  While a connection is
	 * asked, further questions get the answer of the first.
	 */
	int (*probe)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *probed, const struct remote_conn *conn);
	/*
	 * Ends a joined connection, as one that was replaced.  If conn->alive,
	 * the device's sessions here go on; else they end, too, since its
	 * address may be lost.  0, or -1: no memory.
	 */
	int (*end)(struct relay_ctx *self, const struct remote_conn *conn);
	/* Calls fn for each device that has joined.  fn may call any function.
	 * 0, or -1: no memory. */
	int (*each)(struct relay_ctx *self,
		void (*fn)(const struct remote_conn *conn, void *arg),
		void *arg);
	/*
	 * The device was at another relay a moment ago, and is about to come
	 * back, here or elsewhere: requests for it wait as for one that has
	 * left here (park-asks).  For requests that are settled afterwards.
	 */
	void (*expect)(
		struct relay_ctx *self, const uint8_t id[RELAY_DEVICE_ID_LEN]);
	/* How many answers could not be given so far, for want of memory. */
	uint64_t (*lost)(struct relay_ctx *self);
	/*
	 * The address and port that a client of that family (AF_INET, AF_INET6)
	 * from outside is told: announced, or what the only listener of that
	 * family is bound to.  0; -1: none is known, since it depends on where
	 * the client came in.
	 */
	int (*told)(struct relay_ctx *self, int family,
		struct sockaddr_storage *out);
};

#endif
