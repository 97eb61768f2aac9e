/* SPDX-License-Identifier: MPL-2.0 */

/* private_address.h - whether this machine reaches others from a private
 * address, so that a gateway is between them. */
#ifndef PRIVATE_ADDRESS_H
#define PRIVATE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#define PRIVATE_ADDRESS_TEXT INET_ADDRSTRLEN

/* True: it does, and `out` is that IPv4 address.  Sends nothing. */
bool private_address_find(char out[PRIVATE_ADDRESS_TEXT]);

#endif
