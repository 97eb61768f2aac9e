/* SPDX-License-Identifier: MPL-2.0 */

#include <ctype.h>

#include "shared/id_begins.h"

bool id_can_begin(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at != '-' && !isalpha((unsigned char)*at) &&
			(*at < '2' || *at > '7'))
			return false;
	return true;
}

bool id_begins(const uint8_t id[RELAY_DEVICE_ID_LEN], const char *text)
{
	char full[RELAY_DEVICE_ID_TEXT];
	const char *at = full;

	relay_device_id_format(id, full);
	for (; *text; text++) {
		if (*text == '-')
			continue;
		at += *at == '-';
		if (toupper((unsigned char)*text) != *at++)
			return false;
	}
	return true;
}
