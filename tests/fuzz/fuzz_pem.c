/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes cert.pem and key.pem: the start of the server, and the module that
 * joins pools.  A line of three dashes and a dot ends the certificate's file.
 */

#include <fcntl.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "pem.h"
#include "tls/identity.h"
#include "tls/identity_load.h"

#define SEPARATOR "---.\n"

static char dir[] = "/tmp/fuzz_pem.XXXXXX";

static void remove_dir(void)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/cert.pem", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/key.pem", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
	char path[80];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
}

/* The device ID that the pool is told must be the relay's own. */
static void check_same_id(const struct identity *identity)
{
	struct request_pem cert;
	struct relay_err err;
	uint8_t id[RELAY_DEVICE_ID_LEN];

	FUZZ_CHECK(pem_load(&cert, dir, "cert.pem", &err) == 0);
	if (pem_identify(&cert, id) == 0)
		FUZZ_CHECK(memcmp(id, identity->id, sizeof(id)) == 0);
	pem_forget(&cert);
}

static void try_pool(void)
{
	struct request_pem cert;
	struct relay_err err = {.text = ""};
	uint8_t id[RELAY_DEVICE_ID_LEN];

	if (pem_load(&cert, dir, "cert.pem", &err) == 0)
		(void)pem_identify(&cert, id);
	else
		FUZZ_CHECK(err.text[0]);
	pem_forget(&cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *key =
		memmem(data, size, SEPARATOR, sizeof(SEPARATOR) - 1);
	size_t cert_size = key ? (size_t)(key - data) : size;
	struct relay_err err = {.text = ""};
	struct identity identity;
	static int made;

	if (!made) {
		FUZZ_CHECK(mkdtemp(dir) && atexit(remove_dir) == 0);
		made = 1;
	}
	key = key ? key + sizeof(SEPARATOR) - 1 : data;
	write_file("cert.pem", data, cert_size);
	write_file("key.pem", key, size - (size_t)(key - data));
	if (identity_look(&identity, dir, NULL, &err) == 0) {
		FUZZ_CHECK(identity.cert && identity.key && !identity.made);
		check_same_id(&identity);
		identity_finish(&identity);
	} else {
		FUZZ_CHECK(err.text[0] && !identity.cert && !identity.key);
	}
	try_pool();
	FUZZ_CHECK(ERR_peek_error() == 0);
	return 0;
}
