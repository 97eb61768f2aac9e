/* SPDX-License-Identifier: MPL-2.0 */

/* A library for LD_PRELOAD that makes OpenSSL say that it has a version which
 * does not exist yet. */

__attribute__((visibility("default"))) unsigned long OpenSSL_version_num(void);

unsigned long OpenSSL_version_num(void)
{
	return 0x90000000UL;
}
