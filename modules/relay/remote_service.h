/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_service.h - for a module that connects several relays: devices that
 * are here are invited for one who asks at another relay.
 *
 * All functions are [C]; `self` is the context from relay_service_find().
 * Answers are posted to `to` on the control thread, each with the number of its
 * question; if a worker has no memory for that, no answer comes.
 */
#ifndef REMOTE_SERVICE_H
#define REMOTE_SERVICE_H

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
	struct sockaddr_storage from; /* the asker's address */
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
	uint8_t key[RELAY_DEVICE_ID_LEN]; /* the asker's, if invited */
};

/* One connection of a device. */
struct remote_conn {
	uint64_t number; /* as in struct remote_ask */
	uint8_t id[RELAY_DEVICE_ID_LEN];
	int worker;
	uint64_t conn; /* relay_conn_id() there */
	bool alive;    /* in answers */
};

struct relay_remote_service {
	/*
	 * Invites `target`, which is here, to a session with `asker` that is
	 * held here.  0 and `answered` with struct remote_answer, or -1.
	 */
	int (*invite)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *answered, const struct remote_ask *ask);
	/*
	 * The same for a session that is held by another relay, at
	 * found->address with the device's own key found->key.
	 */
	int (*invite_elsewhere)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *answered, const struct remote_ask *ask,
		const struct relay_found *found);
	/*
	 * Holds a session of two devices that both may be elsewhere: key[0] is
	 * the asker's, key[1] the other's.  At once.
	 */
	enum remote_end (*prepare)(struct relay_ctx *self,
		const struct remote_ask *ask,
		uint8_t key[2][RELAY_DEVICE_ID_LEN]);
	/* Asks a joined connection for a sign of life (a ping, 5 s).  0 and
	 * `probed` with struct remote_conn, or -1.  The connection does not end
	 * by this. */
	int (*probe)(struct relay_ctx *self, struct relay_ctx *to,
		relay_post_fn *probed, const struct remote_conn *conn);
	/* Ends a joined connection, as one that was replaced. */
	int (*end)(struct relay_ctx *self, const struct remote_conn *conn);
	/* Calls fn for each device that has joined. */
	void (*each)(struct relay_ctx *self,
		void (*fn)(const struct remote_conn *conn, void *arg),
		void *arg);
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
