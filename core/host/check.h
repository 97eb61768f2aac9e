/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The part of -check that goes beyond the configuration: whether a start would
 * find the keys, addresses and users that it needs.  It creates and changes
 * nothing.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>

struct core_conf;
struct identity;

/*
 * Logs every fault, not only the first.  An address in use is not a fault,
 * since the server that is to be reloaded may have it.  Nor is an address for
 * which only the user who checks lacks the rights.  `id` becomes the server's
 * ID, or stays as it is if there are no keys yet.  0, or -1.  [C]
 */
int check_surroundings(const struct core_conf *core, uint8_t id[32]);

/* Logs that the server does not send all of cert.pem, if it does not. */
void check_chain(const struct identity *identity, const char *dir);
/* Warns if key.pem is accessible to others than its owner. */
void check_key_mode(const struct identity *identity, const char *dir);

#endif
