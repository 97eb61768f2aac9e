/* SPDX-License-Identifier: MPL-2.0 */

/* make_token.h - makes a token for the option named-tokens of a relay. */
#ifndef MAKE_TOKEN_H
#define MAKE_TOKEN_H

/* Prints the token and, in the second line, NAME:SHA-256.  Returns the exit
 * code. */
int make_token(const char *name);

#endif
