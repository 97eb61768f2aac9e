/* SPDX-License-Identifier: MPL-2.0 */

/* access_service.h - the service of the module access. */
#ifndef ACCESS_SERVICE_H
#define ACCESS_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/token_name.h"

struct relay_ctx;

#define ACCESS_SERVICE         "access"
#define ACCESS_SERVICE_VERSION 1

struct access_service {
	/*
	 * The name of the token by which a device (32 bytes) is here, or asks
	 * to join after this module has admitted it.  [C]  False: it is not
	 * here, or by a token without a name; *out is then unchanged.
	 */
	bool (*name)(struct relay_ctx *self, const uint8_t *id,
		char out[TOKEN_NAME_TEXT]);
};

#endif
