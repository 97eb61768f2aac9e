/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Checks, after the process has changed its user (base/rights.h), what only
 * root may have been able to read.
 */
#ifndef CHECK_USER_H
#define CHECK_USER_H

#include <strelaysrv/log.h>

/*
 * [C]  Reads the configuration, with all that it includes, and the module
 * directories again, as a reload will.  It must have been read without errors
 * before.  Logs a fault at `level`, in one line with the name of the user.  0,
 * or -1: there was one.
 */
int check_user_reads(const char *user, enum relay_level level);

#endif
