/* SPDX-License-Identifier: MPL-2.0 */

/*
 * devices_service.h - which devices are here, and their end, for other modules.
 *
 * All functions are [C]; `self` is the context from relay_service_find().
 */
#ifndef DEVICES_SERVICE_H
#define DEVICES_SERVICE_H

#include <stdint.h>

#include <strelaysrv/device_id.h>

struct relay_ctx;
struct relay_err;

#define RELAY_DEVICES_SERVICE         "relay.devices"
#define RELAY_DEVICES_SERVICE_VERSION 2

struct relay_devices_service {
	/* The only device that is here whose ID begins so, with or without
	 * dashes.  0, or -1 with err. */
	int (*find)(struct relay_ctx *self, const char *text,
		uint8_t id[RELAY_DEVICE_ID_LEN], struct relay_err *err);
	/* Ends its connection and its sessions soon, and returns how many.
	 * Does withdraw(), too. */
	unsigned (*end)(
		struct relay_ctx *self, const uint8_t id[RELAY_DEVICE_ID_LEN]);
	/* Sessions to which it is invited and that have not begun do not
	 * begin.  Since version 2. */
	void (*withdraw)(
		struct relay_ctx *self, const uint8_t id[RELAY_DEVICE_ID_LEN]);
};

#endif
