#include "service/store/open/open_store.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

TEST(OpenStoreTest, AddressesThatNameNoStoreAreRefused) {
  struct Case {
    std::string address;
    std::string message;
  };
  for (const Case& test : {
           Case{"",
                "bad store '': expected memory or sqlite:PATH or "
                "postgres://HOST/DATABASE"},
           Case{"disk",
                "bad store 'disk': expected memory or sqlite:PATH or "
                "postgres://HOST/DATABASE"},
           Case{"MEMORY",
                "bad store 'MEMORY': expected memory or sqlite:PATH or "
                "postgres://HOST/DATABASE"},
           Case{"memory:", "bad store 'memory:': memory takes nothing behind it"},
           Case{"memory:x", "bad store 'memory:x': memory takes nothing behind it"},
           Case{"postgres:d", "bad store 'postgres:d': expected postgres://HOST/DATABASE"},
           Case{"postgres:///d?lease_seconds=0", "bad lease_seconds '0': expected 1 to 3600"},
           Case{"sqlite:", "bad store 'sqlite:': expected a path behind sqlite:"},
       }) {
    for (const absl::Status& status :
         {ValidateStoreAddress(test.address), OpenStore(test.address).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(status.message(), test.message);
    }
  }
}

TEST(OpenStoreTest, MemoryIsEmptyEachTime) {
  ASSERT_EQ(ValidateStoreAddress("memory"), absl::OkStatus());
  record::SessionRecord session;
  session.set_name("s");
  const auto first = OpenStore("memory");
  ASSERT_TRUE(first.ok());
  ASSERT_EQ((*first)->PutSession(session), absl::OkStatus());
  const auto second = OpenStore("memory");
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE((*second)->Sessions()->empty());
}

TEST(OpenStoreTest, ADatabaseIsThereTheNextTime) {
  const std::string address = absl::StrCat("sqlite:", getenv("TEST_TMPDIR"), "/open_store.db");
  ASSERT_EQ(ValidateStoreAddress(address), absl::OkStatus());
  record::SessionRecord session;
  session.set_name("s");
  {
    const auto first = OpenStore(address);
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_EQ((*first)->PutSession(session), absl::OkStatus());
  }
  const auto second = OpenStore(address);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->Sessions()->size(), 1u);
}

}  // namespace
}  // namespace rehearse
