/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Clients of the simulated server: devices with TLS, and sides of sessions.
 *
 * A side's payload begins with its number; then come bytes that follow from the
 * number and their place.  So whoever gets them knows who has sent them, and
 * whether one is missing, wrong, or there twice.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "relay/messages/frame.h"
#include "sim.h"

#define CLIENTS     64   /* at once */
#define SIDES       4096 /* in one input */
#define DEVICES     6
#define SOURCES     8
#define INVITATIONS 64
#define NUMBER_LEN  4 /* at the begin of a payload */

/* What is known of a connection without TLS, also after its end. */
struct side {
	struct sim_tcp *tcp; /* NULL: both ends are closed */
	uint64_t sent, got;  /* bytes of payload */
	int other;           /* the side from which it gets bytes; -1: unknown
			      * yet, -2: it cannot be known */
	uint8_t number[NUMBER_LEN]; /* of it, as far as it has arrived */
	bool success;               /* the server has accepted its key */
	bool fin, reset;            /* this side has ended so */
	unsigned raw;               /* messages that it has sent */
	bool imported;              /* another process has read its key */
	bool key;                   /* its only message is a session key */
	uint64_t read; /* of it, by the server, when it had ended */
	bool cut;      /* it may have lost bytes, see check.c */
	bool odd;      /* it has sent more than one message */
};

struct client {
	struct sim_tcp *tcp; /* NULL: free */
	SSL *ssl;            /* owned; NULL: a side of a session */
	BIO *in, *out;       /* owned by ssl */
	int device;
	int side;    /* without TLS: which one */
	bool asleep; /* takes nothing */
	bool tells;  /* answers pings */
	bool up;     /* the handshake is over */
	bool joined; /* the server has accepted it as the device */
	bool gone;   /* its socket is closed: only the server's end is left */
	uint8_t bytes[FRAME_MAX]; /* of a message that is not complete */
	size_t len;
};

struct invitation {
	uint8_t key[FRAME_OPAQUE_MAX];
	size_t len;
};

extern struct client clients[CLIENTS];
extern struct side sides[SIDES];
extern int side_count;
extern struct invitation invitations[INVITATIONS];
extern unsigned invitation_count; /* that were received in this input */

/* After relay_begin(). */
void clients_begin(void);
void clients_end(void);
/* Forgets all; their sockets must be closed. */
void clients_forget(void);

/* NULL if there is no place, or nobody listens. */
struct client *client_connect(unsigned listener, unsigned source);
/* The same, but another process has accepted it. */
struct client *client_import(unsigned source);
/* Begins TLS.  device: DEVICES means no certificate. */
void client_tls(struct client *client, int device);
/* What is to be sent: as it is, or by TLS. */
void client_send(struct client *client, const void *data, size_t len);
/* The same without TLS, whether or not that makes sense. */
void client_send_raw(struct client *client, const void *data, size_t len);
void client_payload(struct client *client, size_t len);
/* Takes at most that many bytes, and looks at them. */
void client_take(struct client *client, size_t most);
/* Each client that is not asleep takes what there is.  Whether there was
 * anything. */
bool clients_take(void);
void client_shutdown(struct client *client);
void client_close(struct client *client);
void client_reset(struct client *client);
/* How many bytes of its payload the server has read. */
uint64_t side_read(const struct side *side);
/* Whether some side has sent bytes that are not as described above. */
bool sides_odd(void);
/* Frees the places of those whose both ends are closed. */
void clients_reap(void);

#endif
