/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A cJSON tree as Go's json.MarshalIndent prints it, with four spaces.
 */
#ifndef PRINT_H
#define PRINT_H

#include <cjson/cJSON.h>

struct evbuffer;

/*
 * Appends to `out`.  Objects in the order of their keys' bytes, numbers that
 * were made with cJSON_CreateRaw() as they are; strings must be UTF-8.  0, or
 * -1 without memory.
 */
int print_json(const cJSON *item, struct evbuffer *out);

#endif
