/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a session's home is told: the worker that has given its id and those of
 * its connections, and knows where they are; see object_table.h.
 */
#ifndef SESSION_HOME_H
#define SESSION_HOME_H

#include <stdint.h>

struct relay_session;
struct worker;

struct session_news {
	uint64_t session, conn[2];
	uint32_t to, moves;
};

/* [W]  Before the session is sent to the worker `to`: it is not to be looked at
 * afterwards. */
void session_news_read(const struct relay_session *session, unsigned to,
	struct session_news *news);
/* [W]  It has been sent from this worker. */
void session_news_moved(
	const struct session_news *news, const struct worker *from);
/* [W]  It ends; its connections are still there. */
void session_news_ended(const struct relay_session *session);

#endif
