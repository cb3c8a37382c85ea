#include "service/store/open/open_store.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/store/memory/memory_store.h"
#include "service/store/postgres/postgres_store.h"
#include "service/store/sqlite/sqlite_store.h"

namespace rehearse {
namespace {

using Opened = absl::StatusOr<std::unique_ptr<ExecutionStore>>;

absl::Status ValidateMemory(absl::string_view address) {
  if (address == "memory") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("bad store '", address, "': memory takes nothing behind it"));
}

Opened OpenMemory(absl::string_view) { return std::make_unique<MemoryStore>(); }

absl::Status ValidateSqlite(absl::string_view address) {
  return ParseSqliteAddress(address).status();
}

Opened OpenSqlite(absl::string_view address) {
  return SqliteStore::Open(*ParseSqliteAddress(address));
}

absl::Status ValidatePostgres(absl::string_view address) {
  return ParsePostgresAddress(address).status();
}

// What this process has in memory is not true any more: better no answer than a wrong one.
void EndProcess(absl::Status lost) {
  std::fprintf(stderr, "rehearse: %s\n", std::string(lost.message()).c_str());
  std::_Exit(1);
}

Opened OpenPostgres(absl::string_view address) {
  PostgresStore::Options options = *ParsePostgresAddress(address);
  options.lost = EndProcess;
  return PostgresStore::Open(std::move(options));
}

// What stands before the first colon of an address, and what follows from it. Both functions take
// the whole address; `open` gets only what `validate` lets through.
struct Kind {
  absl::string_view scheme;
  absl::string_view form;
  absl::Status (*validate)(absl::string_view address);
  Opened (*open)(absl::string_view address);
};

constexpr Kind kKinds[] = {
    {"memory", "memory", ValidateMemory, OpenMemory},
    {"sqlite", "sqlite:PATH", ValidateSqlite, OpenSqlite},
    {"postgres", "postgres://HOST/DATABASE", ValidatePostgres, OpenPostgres},
};

absl::StatusOr<Kind> KindOf(absl::string_view address) {
  const absl::string_view scheme = address.substr(0, address.find(':'));
  for (const Kind& kind : kKinds) {
    if (kind.scheme == scheme) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "bad store '", address, "': expected ",
      absl::StrJoin(kKinds, " or ",
                    [](std::string* out, const Kind& kind) { absl::StrAppend(out, kind.form); })));
}

}  // namespace

absl::Status ValidateStoreAddress(absl::string_view address) {
  const absl::StatusOr<Kind> kind = KindOf(address);
  if (!kind.ok()) return kind.status();
  return kind->validate(address);
}

absl::StatusOr<std::unique_ptr<ExecutionStore>> OpenStore(absl::string_view address) {
  absl::Status valid = ValidateStoreAddress(address);
  if (!valid.ok()) return valid;
  return KindOf(address)->open(address);
}

}  // namespace rehearse
