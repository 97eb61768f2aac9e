/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What became of reading from a TLS connection, or of writing to it.
 */
#ifndef TLS_RESULT_H
#define TLS_RESULT_H

enum tls_result {
	TLS_DONE,     /* bytes were read or written */
	TLS_AGAIN,    /* the socket has no more bytes, or takes no more now */
	TLS_DATALESS, /* read: a record without data; there may be more bytes */
	TLS_NEEDS_WRITE, /* read: it waits until the socket takes bytes */
	TLS_NOTIFIED,    /* read: the peer's close_notify */
	TLS_EOF,         /* read: the end without close_notify */
	TLS_RESET,       /* the socket has failed */
	/* The peer breaks the protocol or has sent an alert, or there is no
	 * memory. */
	TLS_BROKEN,
};

#endif
