// OpenSSL's objects, freed when they leave their scope. For the .cc files that speak to OpenSSL; not for other headers.
#ifndef MUSTER_BASE_OPENSSL_HANDLES_H_
#define MUSTER_BASE_OPENSSL_HANDLES_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace muster::base {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, OpensslFree<X509_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, OpensslFree<X509_REQ_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;
using NumberHandle = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using TrustHandle = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using VerificationHandle = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, OpensslFree<SSL_free>>;

// What OpenSSL says of its last failure on this thread; takes it off its list.
inline std::string OpensslError() {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}
inline absl::Status OpensslFailure(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", OpensslError()));
}

inline BioHandle MemoryBio(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
inline std::string BioText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

absl::StatusOr<CertificateHandle> LoadCertificate(std::string_view pem);
absl::StatusOr<KeyHandle> LoadKey(std::string_view pem);
std::string CertificateToPem(X509* certificate);
// SHA-256 of the DER form, lower-case hexadecimal.
std::string CertificateFingerprint(X509* certificate);
// OK when `certificate` leads to `authority`, for `purpose` (X509_PURPOSE_SSL_SERVER, …), at the time given.
absl::Status VerifyCertificate(X509* certificate, X509* authority, int purpose, int64_t now_unix_ms);

}  // namespace muster::base

#endif  // MUSTER_BASE_OPENSSL_HANDLES_H_
