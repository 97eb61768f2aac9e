/* SPDX-License-Identifier: MPL-2.0 */

/* What an identity consists of, once it is loaded. */

#include <string.h>

#include "tls/identity.h"

void identity_finish(struct identity *identity)
{
	X509_free(identity->cert);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	memset(identity, 0, sizeof(*identity));
}
