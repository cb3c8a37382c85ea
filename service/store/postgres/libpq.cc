#include "service/store/postgres/libpq.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace rehearse::postgres {

absl::StatusOr<LibPq> LibPq::LoadFrom(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("PostgreSQL's client library ", file,
                     " is missing (Debian: apt-get install libpq5): ", dlerror()));
  }
  LibPq libpq;
#define REHEARSE_LIBPQ_SYMBOL(name)                                                     \
  libpq.name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name));              \
  if (libpq.name == nullptr) {                                                          \
    return absl::UnavailableError(absl::StrCat("PostgreSQL's client library ", file,    \
                                               " lacks " #name                          \
                                               ": it must be of version 14 or newer")); \
  }
  REHEARSE_LIBPQ_FUNCTIONS(REHEARSE_LIBPQ_SYMBOL)
#undef REHEARSE_LIBPQ_SYMBOL
  return libpq;
}

absl::StatusOr<const LibPq*> LibPq::Load() {
  static const auto* const loaded = new absl::StatusOr<LibPq>(LoadFrom("libpq.so.5"));
  if (!loaded->ok()) return loaded->status();
  return &**loaded;
}

}  // namespace rehearse::postgres
