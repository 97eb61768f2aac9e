/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/device_id.h - device IDs as bytes and as text.
 *
 * A device ID is the SHA-256 of a certificate in DER form.  As text it is 56
 * characters of base32 in eight blocks of seven, joined by dashes; every second
 * block ends in a check character.
 *
 * Both functions are pure: any thread, no allocation, bounded work.
 */
#ifndef RELAY_DEVICE_ID_H
#define RELAY_DEVICE_ID_H

#include <stdint.h>

#include "strelaysrv/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RELAY_DEVICE_ID_LEN  32 /* bytes */
#define RELAY_DEVICE_ID_TEXT 64 /* characters, the terminating NUL included */

/*
 * Writes the text of id, 63 characters and a NUL, as Syncthing prints it.
 * Cannot fail.  The all-zero ID is printed like any other, although Syncthing
 * prints nothing for it.
 */
void relay_device_id_format(
	const uint8_t id[RELAY_DEVICE_ID_LEN], char out[RELAY_DEVICE_ID_TEXT]);

/*
 * Reads a device ID as Syncthing does: in either case, with dashes and spaces
 * anywhere, = at either end, 0 for O, 1 for I, 8 for B, and with or without the
 * four check characters.  It refuses more than 128 characters, the empty text,
 * and a last character that no ID can end in.
 *
 * Returns 0, or -1 with the reason in err (may be NULL) and id untouched.
 */
int relay_device_id_parse(const char *text, uint8_t id[RELAY_DEVICE_ID_LEN],
	struct relay_err *err);

#ifdef __cplusplus
}
#endif

#endif
