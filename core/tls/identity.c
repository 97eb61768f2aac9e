/* SPDX-License-Identifier: MPL-2.0 */

/* What an identity consists of, once it is loaded. */

#include <string.h>

#include "tls/identity.h"

bool identity_same_chain(const struct identity *a, const struct identity *b)
{
	int n = sk_X509_num(a->chain);

	if (n != sk_X509_num(b->chain))
		return false;
	for (int i = 0; i < n; i++)
		if (X509_cmp(sk_X509_value(a->chain, i),
			    sk_X509_value(b->chain, i)) != 0)
			return false;
	return true;
}

void identity_finish(struct identity *identity)
{
	X509_free(identity->cert);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	memset(identity, 0, sizeof(*identity));
}
