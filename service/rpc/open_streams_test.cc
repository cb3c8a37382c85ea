#include "service/rpc/open_streams.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct RecordedStream : OpenStream {
  void End(absl::Status status) override { ends.push_back(status); }
  std::vector<absl::Status> ends;
};

TEST(OpenStreamsTest, EndsTheStreamsOfASessionOnly) {
  OpenStreams streams;
  const auto one = std::make_shared<RecordedStream>();
  const auto other = std::make_shared<RecordedStream>();
  streams.Add("one", one);
  streams.Add("other", other);
  streams.EndSession("one", absl::AbortedError("over"));
  streams.EndSession("one", absl::AbortedError("again"));
  EXPECT_THAT(one->ends, ElementsAre(absl::AbortedError("over")));
  EXPECT_THAT(other->ends, IsEmpty());
}

TEST(OpenStreamsTest, RemovedStreamIsNotEnded) {
  OpenStreams streams;
  const auto stream = std::make_shared<RecordedStream>();
  streams.Add("one", stream);
  streams.Remove("one", stream);
  streams.Remove("one", stream);
  streams.EndSession("one", absl::AbortedError("over"));
  streams.EndAll(absl::UnavailableError("stop"));
  EXPECT_THAT(stream->ends, IsEmpty());
  EXPECT_EQ(stream.use_count(), 1);
}

TEST(OpenStreamsTest, EndAllEndsEveryStreamAndThoseThatComeLater) {
  OpenStreams streams;
  const auto one = std::make_shared<RecordedStream>();
  const auto late = std::make_shared<RecordedStream>();
  streams.Add("", one);
  streams.EndAll(absl::UnavailableError("stop"));
  streams.Add("late", late);
  EXPECT_THAT(one->ends, ElementsAre(absl::UnavailableError("stop")));
  EXPECT_THAT(late->ends, ElementsAre(absl::UnavailableError("stop")));
}

}  // namespace
}  // namespace rehearse
