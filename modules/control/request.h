/* SPDX-License-Identifier: MPL-2.0 */

/* request.h - from a line to a command, and who may give it. */
#ifndef REQUEST_H
#define REQUEST_H

#include "client.h"

/* Finds out who the client is. */
void request_identify(struct client *client, int fd, gid_t group);
/* Has the command called again after that time. */
void request_soon(struct client *client, int64_t ms);
/* Begins the command in client->line; the client is CLIENT_RUNNING then, or
 * CLIENT_ENDING with the reason in its answer. */
void request_begin(struct client *client);
/* Whether the module of its command has left. */
bool request_is_orphan(const struct client *client);
/* Calls the command.  It is CLIENT_ENDING when it is over. */
void request_step(struct client *client);
/* It will not be called any more. */
void request_over(struct client *client);
/* Ends the answer with a failure. */
void request_fail(struct client *client, int code, const char *why);

#endif
