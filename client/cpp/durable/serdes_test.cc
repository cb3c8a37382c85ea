#include "client/cpp/durable/serdes.h"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rehearse/v1/operation.pb.h"

namespace durable {
namespace {

struct Order {
  std::string id;
  int cents = 0;
  std::vector<double> weights;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, cents, weights)

const SerdesContext kContext = {"id", "arn"};

template <typename T>
absl::StatusOr<std::string> Write(const T& value) {
  return Serdes<T>::Serialize(value, kContext);
}

template <typename T>
absl::StatusOr<T> Read(absl::string_view text) {
  return Serdes<T>::Deserialize(text, kContext);
}

// Writes to exactly `text`, and `text` reads to what writes to it again.
template <typename T>
void ExpectText(const T& value, const std::string& text) {
  ASSERT_TRUE(Write(value).ok()) << Write(value).status();
  EXPECT_EQ(*Write(value), text);
  const absl::StatusOr<T> read = Read<T>(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*Write(*read), text);
}

TEST(SerdesTest, ValuesAreCompactJson) {
  ExpectText<std::string>("text", "\"text\"");
  ExpectText<std::string>("caf\xc3\xa9 \"\n", "\"caf\xc3\xa9 \\\"\\n\"");
  ExpectText<std::string>("", "\"\"");
  ExpectText<int>(42, "42");
  ExpectText<int64_t>(std::numeric_limits<int64_t>::min(), "-9223372036854775808");
  ExpectText<uint64_t>(std::numeric_limits<uint64_t>::max(), "18446744073709551615");
  ExpectText<double>(0.5, "0.5");
  ExpectText<bool>(true, "true");
  ExpectText<std::vector<std::string>>({"1 2", "3 4 4 3"}, R"(["1 2","3 4 4 3"])");
  ExpectText<std::map<std::string, int>>({{"a", 1}}, R"({"a":1})");
  ExpectText<Json>(Json::parse(R"({"a": [1, null]})"), R"({"a":[1,null]})");
  ExpectText<Order>({"o-1", 5, {1.5}}, R"({"cents":5,"id":"o-1","weights":[1.5]})");
}

struct Opaque {};

// What the compiler says about a type without a Serdes depends on it.
TEST(SerdesTest, KnowsWhatCanBeReadFromJson) {
  EXPECT_TRUE(internal::IsReadFromJson<Order>::value);
  EXPECT_TRUE(internal::IsReadFromJson<std::vector<Order>>::value);
  EXPECT_FALSE(internal::IsReadFromJson<Opaque>::value);
  EXPECT_FALSE(internal::IsReadFromJson<std::vector<Opaque>>::value);
}

TEST(SerdesTest, AbsenceIsNull) {
  ExpectText<absl::monostate>({}, "null");
  ExpectText<absl::optional<int>>(absl::nullopt, "null");
  ExpectText<absl::optional<int>>(7, "7");
  ExpectText<absl::optional<std::string>>(std::string("null"), "\"null\"");
  EXPECT_EQ(*Read<absl::optional<int>>(" null\n"), absl::nullopt);
}

TEST(SerdesTest, TimesAreRfc3339) {
  ExpectText<absl::Time>(absl::FromUnixSeconds(1767225600), "\"2026-01-01T00:00:00+00:00\"");
  ExpectText<absl::Time>(absl::FromUnixNanos(1), "\"1970-01-01T00:00:00.000000001+00:00\"");
  EXPECT_EQ(*Read<absl::Time>("\"2026-01-01T01:00:00+01:00\""), absl::FromUnixSeconds(1767225600));
  EXPECT_FALSE(Read<absl::Time>("\"yesterday\"").ok());
  EXPECT_FALSE(Read<absl::Time>("7").ok());
  EXPECT_FALSE(Write(absl::InfiniteFuture()).ok());
  EXPECT_FALSE(Write(absl::InfinitePast()).ok());
}

TEST(SerdesTest, MessagesAreProto3Json) {
  rehearse::v1::WaitDetails details;
  details.mutable_scheduled_end_timestamp()->set_seconds(1767225600);
  ExpectText(details, R"({"ScheduledEndTimestamp":"2026-01-01T00:00:00Z"})");
  EXPECT_FALSE(Read<rehearse::v1::WaitDetails>("{\"unknown\":1}").ok());
  EXPECT_FALSE(Read<rehearse::v1::WaitDetails>("[").ok());
}

TEST(SerdesTest, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_EQ(Write(std::nan("")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Write(std::numeric_limits<double>::infinity()).ok());
  EXPECT_FALSE(Write(-std::numeric_limits<float>::infinity()).ok());
  EXPECT_FALSE(Write(Order{"o", 1, {1.0, std::nan("")}}).ok());
}

TEST(SerdesTest, TextThatIsNotUtf8IsRefused) {
  EXPECT_FALSE(Write(std::string("\xff")).ok());
  EXPECT_FALSE(Write(Json{{"\xff", 1}}).ok());
  EXPECT_FALSE(Read<std::string>("\"\xff\"").ok());
}

TEST(SerdesTest, MalformedTextIsRefused) {
  EXPECT_FALSE(Read<int>("").ok());
  EXPECT_FALSE(Read<int>("1 2").ok());
  EXPECT_FALSE(Read<Json>("{").ok());
}

TEST(SerdesTest, AbsentPayloadIsTheEmptyValueOrAnError) {
  EXPECT_TRUE(internal::NoValue<Json>()->is_null());
  EXPECT_EQ(*internal::NoValue<absl::optional<int>>(), absl::nullopt);
  EXPECT_TRUE(internal::NoValue<absl::monostate>().ok());
  EXPECT_EQ(internal::NoValue<int>().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(internal::NoValue<std::string>().ok());
}

TEST(AnySerdesTest, KeepsFunctionsForOneType) {
  const internal::AnySerdes none;
  EXPECT_FALSE(none.is_set());
  EXPECT_TRUE(none.Fits(typeid(int)));
  EXPECT_EQ(none.Get<int>(), nullptr);
  const internal::AnySerdes serdes(internal::AnySerdes::Functions<int>{
      [](const int&, const SerdesContext&) { return std::string("one"); },
      [](absl::string_view, const SerdesContext&) { return 1; }});
  EXPECT_TRUE(serdes.Fits(typeid(int)));
  EXPECT_FALSE(serdes.Fits(typeid(std::string)));
  EXPECT_EQ(serdes.Get<std::string>(), nullptr);
  EXPECT_EQ(*serdes.Get<int>()->serialize(1, kContext), "one");
}

}  // namespace
}  // namespace durable
