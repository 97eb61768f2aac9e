/* SPDX-License-Identifier: MPL-2.0 */

/*
 * parked_ask.h - requests for a device that is just reconnecting wait for it,
 * see the option park-asks.  [W]
 */
#ifndef PARKED_ASK_H
#define PARKED_ASK_H

#include <strelaysrv/module.h>

/* What becomes of a parked request: the labels of the metric. */
enum parked_end {
	PARKED_ANSWERED, /* the device has come */
	PARKED_IN_VAIN,  /* it has not */
	PARKED_LEFT,     /* the asker has gone */
	PARKED_REFUSED,  /* there was no room */
};

/* Whether a request for a device that is not here would wait for it. */
bool parked_ask_wanted(struct relay_ctx *cx, const uint8_t *id);
/* Parks it; `go_on` is called when the device has come or the time is over.
 * False: there is no room. */
typedef void parked_ask_fn(
	struct relay_ctx *cx, struct relay_conn *conn, const uint8_t *id);
bool parked_ask_begin(struct relay_ctx *cx, struct relay_conn *conn,
	const uint8_t *id, parked_ask_fn *go_on);
/* Its time is over. */
void parked_ask_due(struct relay_ctx *cx, struct relay_conn *conn);
/* The device is here. */
void parked_ask_now(struct relay_ctx *cx, struct relay_conn *conn);
/* Its connection has ended. */
void parked_ask_closed(struct relay_ctx *cx, struct relay_conn *conn);

/* A device has joined: who waits for it goes on. */
void parked_ask_arrived(struct relay_ctx *cx, const uint8_t *id);
/* Devices join another process from now on: nobody waits here any more, and who
 * asks again reaches that process.  [C] */
void parked_ask_moved(struct relay_ctx *cx);
/* A device has left, or is about to join. */
void parked_ask_expect(struct relay_ctx *cx, const uint8_t *id);

#endif
