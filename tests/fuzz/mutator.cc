#include "tests/fuzz/mutator.h"

#include <limits>
#include <utility>

#include "google/protobuf/descriptor.h"

namespace rehearse {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

Mutator::Mutator(uint64_t seed, std::vector<std::string> corpus)
    : random_(seed), corpus_(std::move(corpus)) {}

std::string Mutator::Next() {
  std::string bytes = corpus_[Random(corpus_.size())];
  for (size_t i = Random(4); i > 0; --i) MutateBytes(bytes);
  return bytes;
}

void Mutator::MutateBytes(std::string& bytes) {
  const std::string& other = corpus_[Random(corpus_.size())];
  const size_t position = Random(bytes.size() + 1);
  const size_t length = 1 + Random(8);
  switch (Random(6)) {
    case 0:
      if (position < bytes.size()) bytes[position] = static_cast<char>(Random(256));
      break;
    case 1:
      if (position < bytes.size()) bytes[position] ^= static_cast<char>(1u << Random(8));
      break;
    case 2:
      bytes.insert(position, length, static_cast<char>(Random(256)));
      break;
    case 3:
      bytes.erase(position, length);
      break;
    case 4:
      bytes.insert(position, bytes.substr(Random(bytes.size() + 1), length));
      break;
    default:
      bytes.insert(position, other.substr(Random(other.size() + 1), length));
  }
}

std::string Mutator::Text() {
  switch (Random(5)) {
    case 0:
      return "";
    case 1:
      return std::string(Random(400), 'x');
    case 2:
      return "caf\xC3\xA9";
    case 3:
      return std::string(1, "scdkrwi"[Random(7)]);
    default:
      return Random(2) == 0 ? "a:b" : "$LATEST";
  }
}

void Mutator::SetField(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  static constexpr int32_t kNumbers[] = {
      std::numeric_limits<int32_t>::min(), -1, 0, 1, 5, 31622400, 31622401,
      std::numeric_limits<int32_t>::max()};
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.is_repeated()) return reflection.AddString(&message, &field, Text());
      return reflection.SetString(&message, &field, Text());
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, static_cast<int>(Random(9)) - 1);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, kNumbers[Random(8)]);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, Random(2) == 0);
    default:
      return;
  }
}

void Mutator::Mutate(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& field = *message.GetDescriptor()->field(
      static_cast<int>(Random(message.GetDescriptor()->field_count())));
  if (Random(8) == 0) return reflection.ClearField(&message, &field);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return SetField(message, field);
  if (!field.is_repeated()) return Mutate(*reflection.MutableMessage(&message, &field));
  const int size = reflection.FieldSize(message, &field);
  if (size == 0 || Random(8) == 0) {
    return Mutate(*reflection.AddMessage(&message, &field));
  }
  const int index = static_cast<int>(Random(static_cast<size_t>(size)));
  Mutate(*reflection.MutableRepeatedMessage(&message, &field, index));
}

}  // namespace rehearse
