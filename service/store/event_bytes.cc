#include "service/store/event_bytes.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "service/base/check.h"

namespace rehearse {

std::string SerializeEvents(const std::vector<v1::Event>& events) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    for (const v1::Event& event : events) {
      REHEARSE_CHECK(google::protobuf::util::SerializeDelimitedToZeroCopyStream(event, &stream));
    }
  }
  bytes.shrink_to_fit();
  return bytes;
}

bool ParseEvents(int64_t bytes_first_id, absl::string_view bytes, int64_t first_id, int64_t last_id,
                 std::vector<v1::Event>& events) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  uint32_t size = 0;
  for (int64_t id = bytes_first_id; id <= last_id && stream.ReadVarint32(&size); ++id) {
    if (id < first_id) {
      if (!stream.Skip(static_cast<int>(size))) return false;
      continue;
    }
    const auto limit = stream.PushLimit(static_cast<int>(size));
    if (!events.emplace_back().ParseFromCodedStream(&stream)) return false;
    stream.PopLimit(limit);
  }
  return true;
}

}  // namespace rehearse
