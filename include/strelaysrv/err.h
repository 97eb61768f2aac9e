/* SPDX-License-Identifier: MPL-2.0 */

/*
 * strelaysrv/err.h - the text of an error, made where its cause is known.
 */
#ifndef RELAY_ERR_H
#define RELAY_ERR_H

/* Lives with the caller, usually on its stack.  text is only meaningful after
 * a function that was given it has returned -1. */
struct relay_err {
	char text[256];
};

/*
 * Puts the formatted text into err, cut to fit and always terminated.  err may
 * be NULL when nobody wants the text.  Any thread; changes nothing but err.
 * Returns -1, always, so that callers write: return relay_fail(err, ...).
 */
int relay_fail(struct relay_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
