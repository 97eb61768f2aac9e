/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The words for the reasons why a connection or a session ended.
 */
#ifndef REASON_H
#define REASON_H

#include <strelaysrv/hooks.h>

/* By enum relay_reason; ended by NULL.  relay_reason_word() knows values beyond
 * them, too. */
extern const char *const reason_words[RELAY_END_COUNT + 1];

#endif
