/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether the server is closed to new connections and joins, and by whom.
 *
 * A module closes it with relay_set_closed(), the server itself with
 * server_closed_set().  It is open when neither the server nor any live module
 * keeps it closed.
 */
#ifndef SERVER_CLOSED_H
#define SERVER_CLOSED_H

struct relay_module;

/* Recomputes the state.  Call it after a module has become live or is no longer
 * live: only live modules keep the server closed.  [C] */
void server_closed_refresh(void);
/* The server closes itself with this word as the reason, which takes precedence
 * over any module's; NULL: it no longer does.  [C] */
void server_closed_set(const char *word);
/* The module no longer keeps the server closed.  [C] */
void server_closed_withdraw(const struct relay_module *mod);

#endif
