/* SPDX-License-Identifier: MPL-2.0 */

/*
 * shown_url.h - a URL as messages and pages show it.
 */
#ifndef SHOWN_URL_H
#define SHOWN_URL_H

/*
 * The URL with *** in the place of a user and password, and of the query, RFC
 * 3986, sections 3.2.1 and 3.4: each of them may be a secret.  The fragment,
 * which no server receives, is left out.  The caller frees it; NULL: no memory.
 * Any thread.
 */
char *shown_url(const char *url);

#endif
