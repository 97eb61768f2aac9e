/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A cJSON tree as Go's json.MarshalIndent prints it, with four spaces.
 */
#ifndef PRINT_H
#define PRINT_H

#include <cjson/cJSON.h>

struct evbuffer;

/*
 * Appends to `out`.  Keys are sorted by their bytes; numbers made with
 * cJSON_CreateRaw() are copied; strings must be UTF-8.  0, or -1 if memory is
 * short.
 */
int print_json(const cJSON *item, struct evbuffer *out);

#endif
