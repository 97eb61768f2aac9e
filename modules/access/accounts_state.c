/* SPDX-License-Identifier: MPL-2.0 */

/* When an account is freed. */

#include <stdlib.h>

#include "accounts_state.h"

void accounts_drop_unused(struct accounts *accounts)
{
	struct account **at = &accounts->all;

	while (*at) {
		struct account *account = *at;

		if (account->listed || account->revoked || account->holders) {
			at = &account->next;
			continue;
		}
		*at = account->next;
		free(account);
	}
}

void accounts_let_go(struct accounts *accounts, struct account *account)
{
	if (--account->holders == 0 && !account->listed && !account->revoked)
		accounts_drop_unused(accounts);
}
