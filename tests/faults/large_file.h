/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The C library's name of a call, for dlsym(). On 32 bits, programs whose files
 * may be longer than 2 GiB call open64() and the like, whose struct stat
 * differs.
 */
#ifndef LARGE_FILE_H
#define LARGE_FILE_H

#ifdef __USE_FILE_OFFSET64
#define LARGE_FILE(name) #name "64"
#else
#define LARGE_FILE(name) #name
#endif

#endif
