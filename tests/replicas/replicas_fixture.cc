#include "tests/replicas/replicas_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/store/postgres/postgres_server.h"

namespace rehearse {

std::string NoExecution(const std::string& arn) {
  return absl::StrCat("NOT_FOUND ResourceNotFoundException: Durable Execution does not exist: ",
                      arn);
}

std::string NoSession(const std::string& name) {
  return absl::StrCat("NOT_FOUND ResourceNotFoundException: Session does not exist: ", name,
                      "; create it with CreateSession");
}

std::string Conflict(absl::string_view message) {
  return absl::StrCat("FAILED_PRECONDITION ResourceConflictException: ", message);
}

std::string Invalid(absl::string_view message) {
  return absl::StrCat("INVALID_ARGUMENT InvalidParameterValueException: ", message);
}

v1::Operation OperationOf(const v1::InspectExecutionResponse& execution, const std::string& id) {
  for (const v1::Operation& operation : execution.operations()) {
    if (operation.id() == id) return operation;
  }
  ADD_FAILURE() << "no operation " << id << ": " << execution.ShortDebugString();
  return {};
}

ReplicasTest::ReplicasTest(const Server::Options& options)
    : database_(SharedPostgresServer().NewDatabase()),
      a_(StartReplica(options)),
      b_(StartReplica(options)) {}

std::unique_ptr<Served> ReplicasTest::StartReplica(Server::Options options) const {
  options.store = store();
  return std::make_unique<Served>(std::move(options));
}

std::string ReplicasTest::store(int lease_seconds) const {
  return absl::StrCat(database_, "&lease_seconds=", lease_seconds);
}

}  // namespace rehearse
