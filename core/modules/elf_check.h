/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Whether a file can be a module, judged by its bytes alone.
 *
 * dlopen() maps a file and trusts what its headers say.  If the file is shorter
 * than that, the process ends by SIGBUS.
 */
#ifndef ELF_CHECK_H
#define ELF_CHECK_H

#include <strelaysrv/err.h>

/*
 * Checks that the file is a whole shared object (ELF, see elf(5)) for this
 * machine: all that its headers name is within its length, and it has a table
 * for the dynamic linker.  Never blocks on a FIFO or device.  0, or -1 with
 * err.  [*]
 */
int elf_check(const char *path, struct relay_err *err);

#endif
