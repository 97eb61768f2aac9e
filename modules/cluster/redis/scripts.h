/* SPDX-License-Identifier: MPL-2.0 */

/* scripts.h - what runs in Redis as one step. */
#ifndef REDIS_SCRIPTS_H
#define REDIS_SCRIPTS_H

enum script {
	SCRIPT_CLAIM,
	SCRIPT_RELEASE,
	SCRIPT_FIND,
	SCRIPT_LEASE,
	SCRIPT_LEASES,
	SCRIPT_IDENTIFY,
	SCRIPT_ROW_PUT,
	SCRIPT_ROW_DROP,
	SCRIPT_ROWS,
	SCRIPTS
};

/* Their texts, in Lua. */
extern const char *const script_text[SCRIPTS];

/* What SCRIPT_FIND answers. */
enum script_find {
	SCRIPT_FIND_NOBODY,
	SCRIPT_FIND_OURS,
	SCRIPT_FIND_SENT,
};

#endif
