#include "base/certificate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/digest.h"
#include "base/names.h"
#include "base/openssl_handles.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr std::string_view kUriPrefix = "spiffe://muster/";
constexpr int64_t kClockSkewMs = 3'600'000;
constexpr size_t kMaxPemBytes = 16 * 1024;
constexpr size_t kMaxCommonName = 64;
constexpr int kSerialBits = 127;
constexpr IdentityRole kRoles[] = {IdentityRole::kAgent, IdentityRole::kViewer, IdentityRole::kOperator,
                                   IdentityRole::kAdmin, IdentityRole::kCoordinator};

std::string Date(int64_t unix_ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

int64_t UnixMs(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<int64_t>(timegm(&parts)) * 1000;
}

absl::StatusOr<KeyHandle> MakeKey() {
  KeyHandle key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpensslFailure("cannot make a key");
  return key;
}

absl::StatusOr<std::string> KeyToPem(EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpensslFailure("cannot write the key");
  }
  return BioText(bio.get());
}

absl::StatusOr<RequestHandle> LoadRequest(std::string_view pem) {
  const auto wrong = [](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("certificate request: ", what));
  };
  if (pem.size() > kMaxPemBytes) return wrong(absl::StrCat("longer than ", kMaxPemBytes, " bytes"));
  RequestHandle request(PEM_read_bio_X509_REQ(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return wrong(absl::StrCat("expected PKCS#10 in PEM: ", OpensslError()));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  char group[32] = "";
  if (key == nullptr || EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    ERR_clear_error();
    return wrong("expected an EC P-256 key");
  }
  if (X509_REQ_verify(request.get(), key) != 1) return wrong(absl::StrCat("its key did not sign it: ", OpensslError()));
  return request;
}

bool SetCommonName(X509_NAME* name, const std::string& text) {
  const std::string shown = text.substr(0, kMaxCommonName);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(shown.data()),
                                    static_cast<int>(shown.size()), -1, 0) == 1;
}

bool SetSerial(X509* certificate) {
  const NumberHandle number(BN_new());
  return number != nullptr && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetValidity(X509* certificate, int64_t begin_unix_ms, int64_t end_unix_ms) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(begin_unix_ms / 1000)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(end_unix_ms / 1000)) != nullptr;
}

// `value` is one of our own constants, never anything that arrived.
bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool AddGeneralName(GENERAL_NAMES* names, int type, std::string_view bytes) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (name == nullptr || sk_GENERAL_NAME_push(names, name) == 0) return false;
  ASN1_STRING* text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (text == nullptr) return false;
  GENERAL_NAME_set0_value(name, type, text);
  return ASN1_STRING_set(text, bytes.data(), static_cast<int>(bytes.size())) == 1;
}

// The bytes of an IPv4 or IPv6 address; empty when the text is none.
std::string AddressBytes(const std::string& text) {
  char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return std::string(bytes, 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(bytes, 16);
  return "";
}

absl::Status AddNames(X509* certificate, const CertificateSpec& spec) {
  const GeneralNamesHandle names(GENERAL_NAMES_new());
  bool good = names != nullptr && AddGeneralName(names.get(), GEN_URI, IdentityUri(spec.identity));
  std::vector<std::string> further = spec.names;
  if (spec.identity.role == IdentityRole::kCoordinator) further.push_back(kCoordinatorServerName);
  for (const std::string& name : further) {
    const std::string address = AddressBytes(name);
    if (address.empty()) RETURN_IF_ERROR(CheckMachineName(name));
    good = good && AddGeneralName(names.get(), address.empty() ? GEN_DNS : GEN_IPADD, address.empty() ? name : address);
  }
  if (!good || X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return OpensslFailure("cannot add the names");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CertificateHandle> LoadCertificate(std::string_view pem) {
  CertificateHandle certificate;
  if (pem.size() <= kMaxPemBytes) certificate.reset(PEM_read_bio_X509(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  ERR_clear_error();
  return absl::InvalidArgumentError("expected a certificate in PEM");
}

absl::StatusOr<KeyHandle> LoadKey(std::string_view pem) {
  KeyHandle key;
  // A key that is encrypted is refused instead of asking the terminal for its password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  if (pem.size() <= kMaxPemBytes)
    key.reset(PEM_read_bio_PrivateKey(MemoryBio(pem).get(), nullptr, no_password, nullptr));
  if (key != nullptr) return key;
  ERR_clear_error();
  return absl::InvalidArgumentError("expected a private key in PEM, not encrypted");
}

std::string CertificateToPem(X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_X509(bio.get(), certificate) == 1 ? BioText(bio.get()) : "";
}

std::string CertificateFingerprint(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return "";
  return HexEncode({reinterpret_cast<const char*>(digest), size});
}

absl::Status VerifyCertificate(X509* certificate, X509* authority, int purpose, int64_t now_unix_ms) {
  const TrustHandle trust(X509_STORE_new());
  const VerificationHandle verification(X509_STORE_CTX_new());
  if (X509_STORE_add_cert(trust.get(), authority) != 1 ||
      X509_STORE_CTX_init(verification.get(), trust.get(), certificate, nullptr) != 1) {
    return OpensslFailure("cannot verify the certificate");
  }
  X509_STORE_CTX_set_purpose(verification.get(), purpose);
  X509_STORE_CTX_set_time(verification.get(), 0, static_cast<time_t>(now_unix_ms / 1000));
  if (X509_verify_cert(verification.get()) == 1) return absl::OkStatus();
  return absl::UnauthenticatedError(X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get())));
}

std::string RoleName(IdentityRole role) {
  switch (role) {
    case IdentityRole::kAgent:
      return "agent";
    case IdentityRole::kViewer:
      return "viewer";
    case IdentityRole::kOperator:
      return "operator";
    case IdentityRole::kAdmin:
      return "admin";
    case IdentityRole::kCoordinator:
      return "coordinator";
  }
  return "";
}

std::string IdentityUri(const Identity& identity) {
  return absl::StrCat(std::string(kUriPrefix), RoleName(identity.role), "/", identity.name);
}

absl::StatusOr<Identity> ParseIdentityUri(std::string_view uri) {
  for (const IdentityRole role : kRoles) {
    const std::string prefix = IdentityUri({.role = role, .name = ""});
    if (uri.substr(0, prefix.size()) != prefix) continue;
    Identity identity{.role = role, .name = std::string(uri.substr(prefix.size()))};
    RETURN_IF_ERROR(CheckMachineName(identity.name));
    return identity;
  }
  return absl::InvalidArgumentError(absl::StrCat("expected spiffe://muster/ROLE/NAME, found ", Quoted(uri)));
}

absl::StatusOr<CertifiedKey> CreateCertificateAuthority(int64_t now_unix_ms, int64_t lifetime_ms) {
  ASSIGN_OR_RETURN(const KeyHandle key, MakeKey());
  const CertificateHandle certificate(X509_new());
  X509* ca = certificate.get();
  // A name of its own: two authorities of one name would be taken for each other until a signature fails.
  const bool good = ca != nullptr && X509_set_version(ca, X509_VERSION_3) == 1 && SetSerial(ca) &&
                    SetValidity(ca, now_unix_ms - kClockSkewMs, now_unix_ms + lifetime_ms) &&
                    SetCommonName(X509_get_subject_name(ca), absl::StrCat("muster CA ", HexEncode(RandomBytes(4)))) &&
                    X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 && X509_set_pubkey(ca, key.get()) == 1 &&
                    AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    AddExtension(ca, ca, NID_subject_key_identifier, "hash") &&
                    X509_sign(ca, key.get(), EVP_sha256()) > 0;
  if (!good) return OpensslFailure("cannot make the certificate authority");
  ASSIGN_OR_RETURN(std::string key_pem, KeyToPem(key.get()));
  return CertifiedKey{.key_pem = std::move(key_pem), .certificate_pem = CertificateToPem(ca)};
}

absl::StatusOr<KeyAndRequest> CreateKeyAndRequest() {
  ASSIGN_OR_RETURN(const KeyHandle key, MakeKey());
  KeyAndRequest made;
  ASSIGN_OR_RETURN(made.key_pem, KeyToPem(key.get()));
  ASSIGN_OR_RETURN(made.request_pem, CreateRequest(made.key_pem));
  return made;
}

absl::StatusOr<std::string> CreateRequest(std::string_view key_pem) {
  ASSIGN_OR_RETURN(const KeyHandle key, LoadKey(key_pem));
  const RequestHandle request(X509_REQ_new());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return OpensslFailure("cannot make the certificate request");
  }
  return BioText(bio.get());
}

absl::Status CheckCertificateRequest(std::string_view request_pem) { return LoadRequest(request_pem).status(); }

absl::StatusOr<std::string> IssueCertificate(const CertifiedKey& authority, std::string_view request_pem,
                                             const CertificateSpec& spec) {
  RETURN_IF_ERROR(CheckMachineName(spec.identity.name));
  ASSIGN_OR_RETURN(const RequestHandle request, LoadRequest(request_pem));
  ASSIGN_OR_RETURN(const CertificateHandle ca, LoadCertificate(authority.certificate_pem));
  ASSIGN_OR_RETURN(const KeyHandle ca_key, LoadKey(authority.key_pem));
  const CertificateHandle certificate(X509_new());
  X509* leaf = certificate.get();
  const int64_t end_unix_ms = std::min(spec.now_unix_ms + spec.lifetime_ms, UnixMs(X509_get0_notAfter(ca.get())));
  const bool server = spec.identity.role == IdentityRole::kCoordinator;
  const bool good = leaf != nullptr && X509_set_version(leaf, X509_VERSION_3) == 1 && SetSerial(leaf) &&
                    SetValidity(leaf, spec.now_unix_ms - kClockSkewMs, end_unix_ms) &&
                    SetCommonName(X509_get_subject_name(leaf), spec.identity.name) &&
                    X509_set_issuer_name(leaf, X509_get_subject_name(ca.get())) == 1 &&
                    X509_set_pubkey(leaf, X509_REQ_get0_pubkey(request.get())) == 1 &&
                    AddExtension(leaf, ca.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    AddExtension(leaf, ca.get(), NID_key_usage, "critical,digitalSignature") &&
                    AddExtension(leaf, ca.get(), NID_ext_key_usage, server ? "serverAuth" : "clientAuth") &&
                    AddExtension(leaf, ca.get(), NID_subject_key_identifier, "hash") &&
                    AddExtension(leaf, ca.get(), NID_authority_key_identifier, "keyid:always");
  if (!good) return OpensslFailure("cannot make the certificate");
  RETURN_IF_ERROR(AddNames(leaf, spec));
  if (X509_sign(leaf, ca_key.get(), EVP_sha256()) <= 0) return OpensslFailure("cannot sign the certificate");
  return CertificateToPem(leaf);
}

absl::StatusOr<CertificateInfo> ReadCertificate(std::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const CertificateHandle certificate, LoadCertificate(certificate_pem));
  CertificateInfo info;
  info.not_before_unix_ms = UnixMs(X509_get0_notBefore(certificate.get()));
  info.not_after_unix_ms = UnixMs(X509_get0_notAfter(certificate.get()));
  const GeneralNamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  int identities = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_URI && type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                           static_cast<size_t>(ASN1_STRING_length(value)));
    if (type == GEN_URI) {
      ASSIGN_OR_RETURN(info.identity, ParseIdentityUri(text));
      ++identities;
    } else if (type == GEN_DNS) {
      info.names.push_back(text);
    } else {
      char address[INET6_ADDRSTRLEN] = "";
      if (text.size() == 4) inet_ntop(AF_INET, text.data(), address, sizeof address);
      if (text.size() == 16) inet_ntop(AF_INET6, text.data(), address, sizeof address);
      info.names.emplace_back(address);
    }
  }
  if (identities == 1) return info;
  return absl::InvalidArgumentError("expected a certificate with one name spiffe://muster/ROLE/NAME");
}

absl::StatusOr<std::string> CertificateSha256(std::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const CertificateHandle certificate, LoadCertificate(certificate_pem));
  return CertificateFingerprint(certificate.get());
}

absl::Status CheckCertifiedKey(const CertifiedKey& certified, std::string_view ca_certificate_pem,
                               int64_t now_unix_ms) {
  ASSIGN_OR_RETURN(const CertificateInfo info, ReadCertificate(certified.certificate_pem));
  ASSIGN_OR_RETURN(const CertificateHandle certificate, LoadCertificate(certified.certificate_pem));
  ASSIGN_OR_RETURN(const CertificateHandle ca, LoadCertificate(ca_certificate_pem));
  ASSIGN_OR_RETURN(const KeyHandle key, LoadKey(certified.key_pem));
  const std::string who = IdentityUri(info.identity);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        absl::StrCat("the key is not the one of the certificate of ", who, "; enrol again"));
  }
  if (now_unix_ms >= info.not_after_unix_ms) {
    return absl::FailedPreconditionError(absl::StrCat("the certificate of ", who, " expired on ",
                                                      Date(info.not_after_unix_ms), "; enrol again with a new token"));
  }
  if (now_unix_ms < info.not_before_unix_ms) {
    return absl::FailedPreconditionError(absl::StrCat("the certificate of ", who, " is not valid before ",
                                                      Date(info.not_before_unix_ms), " and this clock says ",
                                                      Date(now_unix_ms), "; set the clock"));
  }
  const absl::Status verified = VerifyCertificate(certificate.get(), ca.get(), X509_PURPOSE_ANY, now_unix_ms);
  if (verified.ok()) return verified;
  return absl::FailedPreconditionError(absl::StrCat("the certificate of ", who, " was not issued by the CA beside it (",
                                                    verified.message(), "); enrol again"));
}

bool RenewalDue(const CertificateInfo& certificate, int64_t now_unix_ms) {
  const int64_t life_ms = certificate.not_after_unix_ms - certificate.not_before_unix_ms;
  return now_unix_ms >= certificate.not_before_unix_ms + life_ms / 3 * 2;
}

}  // namespace muster::base
