/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state, for tests of its units. */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

/* For cmocka: make the state of the room, and free it. */
int net_set_up(void **state);
int net_tear_down(void **state);

#endif
