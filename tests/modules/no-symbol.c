/* SPDX-License-Identifier: MPL-2.0 */

/* no-symbol: a shared object that is no module. */

int no_symbol_answer(void);

int no_symbol_answer(void)
{
	return 42;
}
