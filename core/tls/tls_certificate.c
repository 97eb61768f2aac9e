/* SPDX-License-Identifier: MPL-2.0 */

/* Examines the keys of certificates (RFC 5280, 4.1) without any allocation. */

#include <stdint.h>
#include <string.h>

#include "tls/tls_certificate.h"

#define MESSAGE_HEADER 4
/* DER's tags (X.690). */
#define INTEGER    0x02
#define BIT_STRING 0x03
#define OID        0x06
#define SEQUENCE   0x30
#define VERSION    0xa0
/* SEC 1, 2.3.3. */
#define UNCOMPRESSED 0x04

struct bytes {
	const unsigned char *at;
	size_t left;
};

/* The contents of object identifiers. */
static const unsigned char ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
static const unsigned char p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static const unsigned char p384[] = {0x2b, 0x81, 4, 0, 0x22};
static const unsigned char p521[] = {0x2b, 0x81, 4, 0, 0x23};
static const unsigned char rsa[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
static const unsigned char rsa_pss[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
static const unsigned char ed25519[] = {0x2b, 0x65, 0x70};
static const unsigned char ed448[] = {0x2b, 0x65, 0x71};

#define IS(which, name)                                                        \
	((which)->left == sizeof(name) &&                                      \
		memcmp((which)->at, name, sizeof(name)) == 0)

static bool take(struct bytes *from, size_t len, struct bytes *out)
{
	if (len > from->left)
		return false;
	*out = (struct bytes){from->at, len};
	from->at += len;
	from->left -= len;
	return true;
}

/* A big-endian unsigned number of `len` bytes. */
static bool take_number(struct bytes *from, size_t len, size_t *out)
{
	struct bytes number;

	if (!take(from, len, &number))
		return false;
	*out = 0;
	for (size_t i = 0; i < len; i++)
		*out = *out << 8 | number.at[i];
	return true;
}

/* A TLS vector, whose length field has `len` bytes. */
static bool take_vector(struct bytes *from, size_t len, struct bytes *out)
{
	size_t length;

	return take_number(from, len, &length) && take(from, length, out);
}

/* One DER element with this tag and a definite length. */
static bool take_element(
	struct bytes *from, unsigned char tag, struct bytes *out)
{
	size_t length, more;

	if (from->left < 2 || from->at[0] != tag)
		return false;
	more = from->at[1];
	from->at += 2;
	from->left -= 2;
	if (more < 0x80)
		return take(from, more, out);
	more &= 0x7f;
	return more >= 1 && more <= 3 && take_number(from, more, &length) &&
	       take(from, length, out);
}

static size_t bits_of(const struct bytes *integer)
{
	size_t i = 0, bits;

	while (i < integer->left && integer->at[i] == 0)
		i++;
	if (i == integer->left)
		return 0;
	bits = (integer->left - i) * 8;
	for (unsigned top = integer->at[i]; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

/* RFC 8017, appendix A.1.1. */
static enum tls_certificate look_at_rsa(struct bytes key)
{
	struct bytes both, modulus, exponent;

	if (!take_element(&key, SEQUENCE, &both) ||
		!take_element(&both, INTEGER, &modulus) ||
		!take_element(&both, INTEGER, &exponent))
		return TLS_CERTIFICATE_COSTLY;
	return bits_of(&modulus) <= TLS_RSA_BITS_MOST &&
			       bits_of(&exponent) <= TLS_RSA_EXPONENT_BITS_MOST
		       ? TLS_CERTIFICATE_GOOD
		       : TLS_CERTIFICATE_COSTLY_KEY;
}

/* RFC 5480, 2.1.1 and 2.2. */
static bool is_good_point(struct bytes parameters, struct bytes key)
{
	struct bytes curve;

	return take_element(&parameters, OID, &curve) &&
	       (IS(&curve, p256) || IS(&curve, p384) || IS(&curve, p521)) &&
	       key.left > 0 && key.at[0] == UNCOMPRESSED;
}

/* SubjectPublicKeyInfo. */
static enum tls_certificate look_at_key(struct bytes info)
{
	struct bytes algorithm, kind, key;
	size_t unused;

	if (!take_element(&info, SEQUENCE, &algorithm) ||
		!take_element(&algorithm, OID, &kind) ||
		!take_element(&info, BIT_STRING, &key) ||
		!take_number(&key, 1, &unused))
		return TLS_CERTIFICATE_COSTLY;
	if (IS(&kind, rsa) || IS(&kind, rsa_pss))
		return look_at_rsa(key);
	if (IS(&kind, ed25519) || IS(&kind, ed448) ||
		(IS(&kind, ec) && is_good_point(algorithm, key)))
		return TLS_CERTIFICATE_GOOD;
	return TLS_CERTIFICATE_COSTLY;
}

static enum tls_certificate look_at_one(struct bytes der)
{
	/* The fields before the key: serial number, signature, issuer,
	 * validity, subject. */
	static const unsigned char before[] = {
		INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE};
	struct bytes whole, body, skipped, key;

	if (!take_element(&der, SEQUENCE, &whole) ||
		!take_element(&whole, SEQUENCE, &body))
		return TLS_CERTIFICATE_COSTLY;
	(void)take_element(&body, VERSION, &skipped);
	for (size_t i = 0; i < sizeof(before); i++)
		if (!take_element(&body, before[i], &skipped))
			return TLS_CERTIFICATE_COSTLY;
	return take_element(&body, SEQUENCE, &key) ? look_at_key(key)
						   : TLS_CERTIFICATE_COSTLY;
}

enum tls_certificate tls_certificate_look(
	const unsigned char *message, size_t len, bool is_tls13)
{
	struct bytes all = {message, len}, skipped, list, one;
	enum tls_certificate worst = TLS_CERTIFICATE_GOOD;

	if (!take(&all, MESSAGE_HEADER, &skipped) ||
		(is_tls13 && !take_vector(&all, 1, &skipped)) ||
		!take_vector(&all, 3, &list))
		return TLS_CERTIFICATE_GOOD;
	for (unsigned n = 1; take_vector(&list, 3, &one); n++) {
		enum tls_certificate this = look_at_one(one);

		if (this > worst)
			worst = this;
		if (n > TLS_CERTIFICATES_MOST)
			return TLS_CERTIFICATE_COSTLY;
		if (is_tls13 && !take_vector(&list, 2, &skipped))
			break;
	}
	return worst;
}
