/* SPDX-License-Identifier: MPL-2.0 */

/* The payload of sessions. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

void payload_begin(void);
void payload_make(int side, uint64_t at, uint8_t *out, size_t len);
/* What that side has received next.  Ends the program unless these are the
 * bytes that follow. */
void payload_check(int side, const uint8_t *data, size_t len);

#endif
