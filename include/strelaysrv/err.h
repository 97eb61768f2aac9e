/* SPDX-License-Identifier: MPL-2.0 */

/* strelaysrv/err.h - the text of an error, written where its cause is known. */
#ifndef RELAY_ERR_H
#define RELAY_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The caller owns it, usually on its stack. text is only meaningful after a
 * function that got it has returned -1.
 */
struct relay_err {
	char text[256];
};

/*
 * Writes the formatted text into err, truncated to fit and always terminated.
 * err may be NULL if the caller does not need the text.  Any thread; changes
 * nothing but err.  Always returns -1, so that callers can write: return
 * relay_fail(err, ...).
 */
int relay_fail(struct relay_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
