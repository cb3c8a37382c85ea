// Operations of one commit as bytes: length-delimited messages.
//
//   std::string bytes;
//   AppendOperation(operation, bytes);
//   if (!ParseOperations(bytes, operations)) ...
#ifndef REHEARSE_SERVICE_STORE_SQLITE_OPERATION_BYTES_H_
#define REHEARSE_SERVICE_STORE_SQLITE_OPERATION_BYTES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/checkpoint/record.pb.h"

namespace rehearse::sqlite {

void AppendOperation(const record::OperationRecord& operation, std::string& bytes);

// Appends to `operations`. False when the bytes are no operations.
bool ParseOperations(absl::string_view bytes, std::vector<record::OperationRecord>& operations);

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_OPERATION_BYTES_H_
