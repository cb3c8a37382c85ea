// Mutator: an endless, repeatable row of inputs made from good ones.
//
//   Mutator mutator(seed, {"orders", "orders:live"});
//   FuzzFunctionReference(mutator.Next());
#ifndef REHEARSE_TESTS_FUZZ_MUTATOR_H_
#define REHEARSE_TESTS_FUZZ_MUTATOR_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "google/protobuf/message.h"

namespace rehearse {

class Mutator {
 public:
  // `corpus` must not be empty.
  Mutator(uint64_t seed, std::vector<std::string> corpus);

  // One of the corpus with a few bytes changed, cut out, repeated or taken from another.
  std::string Next();
  // Changes one field of the message, at any depth: to a value at a bound, to nothing, or by one
  // more element.
  void Mutate(google::protobuf::Message& message);
  // One of `count`.
  size_t Random(size_t count) { return random_() % count; }

 private:
  void MutateBytes(std::string& bytes);
  void SetField(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);
  std::string Text();

  std::mt19937_64 random_;
  const std::vector<std::string> corpus_;
};

}  // namespace rehearse

#endif  // REHEARSE_TESTS_FUZZ_MUTATOR_H_
