/* SPDX-License-Identifier: MPL-2.0 */

/*
 * How a session ends.
 */
#ifndef SESSION_END_H
#define SESSION_END_H

#include <strelaysrv/hooks.h>

struct relay_session;

/* [W]  Tells the modules the reason, and closes both connections. */
void session_end(struct relay_session *session, enum relay_reason reason);

#endif
