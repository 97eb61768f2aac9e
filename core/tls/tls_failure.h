/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Why a TLS handshake failed, in the few words that operators can act on.
 */
#ifndef TLS_FAILURE_H
#define TLS_FAILURE_H

#include "metrics/core_metrics.h"

/* `error` of SSL_get_error(), `code` of ERR_peek_error().  Pure. */
enum core_failure_label tls_failure(int error, unsigned long code);

#endif
