/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What -check looks at besides the files: whether keys, addresses and users are
 * as a start would need them.  Nothing is made, written or kept.
 */
#ifndef CHECK_H
#define CHECK_H

struct core_conf;
struct identity;

/*
 * Every fault is logged, not only the first.  An address in use is none, since
 * the server that is to be reloaded has it; neither is what only the user who
 * checks may not.  0, or -1.  [C]
 */
int check_surroundings(const struct core_conf *core);

/* Warns of a key.pem that is not its owner's alone. */
void check_key_mode(const struct identity *identity, const char *dir);

#endif
