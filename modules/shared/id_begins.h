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
/* Whether the text can be the beginning of an ID. */
bool id_can_begin(const char *text);
/* What follows the text in a message, if it cannot be one. */
#define ID_WORDS "an ID has letters, the digits 2 to 7, and dashes"

#endif
