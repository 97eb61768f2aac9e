/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Identity files in a directory for each test.
 */
#ifndef IDENTITY_FIXTURE_H
#define IDENTITY_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <strelaysrv/err.h>

#include "tls/identity.h"
#include "tls/identity_make.h"

#define NAME   "strelaysrv"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The name and owner of a new pair. */
extern const struct identity_new fresh;

/* One directory for each test; its files are removed afterwards. */
extern char dir[256];

int make_dir(void **state);
int remove_dir(void **state);
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

const char *path_of(const char *file);
int count_entries(const char *path);
void write_bytes(const char *file, const void *data, size_t len);
void write_text(const char *file, const char *text);
void append_text(const char *file, const char *text);
size_t read_text(const char *file, char *out, size_t cap);

enum form { PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED };

/* `kind`: RSA, ED25519, or a curve. */
EVP_PKEY *new_key(const char *kind);
X509 *new_cert(EVP_PKEY *key, const char *name);
void write_cert(const X509 *cert, const char *mode);
void write_key(EVP_PKEY *key, enum form form, const char *mode);
void write_pair(const char *kind, enum form form);
void write_go_pair(void);

void check_loads(struct identity *identity);
bool has_word(const struct relay_err *err, const char *word);
/* Expects an error with the path of the file and the word, and no new or
 * missing files in the directory. */
void check_refused(const char *file, const char *word);

#endif
