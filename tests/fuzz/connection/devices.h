/* SPDX-License-Identifier: MPL-2.0 */

/* The devices' keys, certificates and IDs. */
#ifndef DEVICES_H
#define DEVICES_H

#include <stdint.h>

#include <openssl/ssl.h>

/* Makes cert.pem and key.pem of the server. */
void devices_write_server(const char *folder);
void devices_begin(void);
void devices_end(void);
/* A client's side of TLS; device DEVICES has no certificate. */
SSL *device_tls(int device);
const uint8_t *device_id(int device);

#endif
