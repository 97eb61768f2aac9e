/* SPDX-License-Identifier: MPL-2.0 */

/*
 * ca_file.h - the certificates that ca-file names, or, if that is empty and
 * there are pools, the environment variable SSL_CERT_FILE.
 *
 * They are read before they are needed, beside the control thread: libcurl
 * would open the file at each request, and wait for ever at a pipe.
 */
#ifndef CA_FILE_H
#define CA_FILE_H

#include <strelaysrv/file.h>
#include <strelaysrv/module.h>

/* The hooks of this name; *files is a struct relay_file, or NULL if
 * neither names a file. */
int ca_file_read(const void *values, void **files, struct relay_err *err);
void ca_file_free(void *files);

#endif
