#include "service/store/sqlite/operation_bytes.h"

#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "service/base/check.h"

namespace rehearse::sqlite {

void AppendOperation(const record::OperationRecord& operation, std::string& bytes) {
  google::protobuf::io::StringOutputStream stream(&bytes);
  REHEARSE_CHECK(google::protobuf::util::SerializeDelimitedToZeroCopyStream(operation, &stream));
}

bool ParseOperations(absl::string_view bytes, std::vector<record::OperationRecord>& operations) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  bool end = false;
  while (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&operations.emplace_back(),
                                                                  &stream, &end)) {
  }
  operations.pop_back();
  return end;
}

}  // namespace rehearse::sqlite
