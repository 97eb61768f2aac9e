/* SPDX-License-Identifier: MPL-2.0 */

/* id_begins.h - device IDs as an operator abbreviates them. */
#ifndef ID_BEGINS_H
#define ID_BEGINS_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/device_id.h>

/* Whether the text is the beginning of that device ID, with or without dashes,
 * in either case. */
bool id_begins(const uint8_t id[RELAY_DEVICE_ID_LEN], const char *text);

#endif
