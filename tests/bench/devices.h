/* SPDX-License-Identifier: MPL-2.0 */

/* devices.h - many devices that join the relay, a limited number at a time. */
#ifndef DEVICES_H
#define DEVICES_H

#include "bench.h"
#include "histogram.h"

struct devices;

/*
 * Creates the identities, which takes about 0.1 s per 1000; does not connect.
 * NULL with the reason on stderr.
 */
struct devices *devices_create(struct bench *bench, size_t count);

/* Connects and joins all, `parallel` at a time, and runs the loop until each
 * has joined or failed (counted).  They stay joined.  With the setting
 * `together`, `parallel` is that of handshakes, and times are those of joins
 * alone. */
void devices_join(struct devices *devices, size_t parallel);

/*
 * The number of joined devices, the times of their joins, the number of devices
 * lost since (also counted as failures), and the pings answered.
 */
size_t devices_joined(const struct devices *devices);
const struct histogram *devices_times(const struct devices *devices);
size_t devices_lost(const struct devices *devices);
uint64_t devices_pings(const struct devices *devices);

/* Disconnects all.  NULL is allowed. */
void devices_destroy(struct devices *devices);

#endif
