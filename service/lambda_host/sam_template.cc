#include "service/lambda_host/sam_template.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "service/lambda_host/yaml.h"

namespace rehearse::lambda_host {
namespace {

constexpr char kFunctionType[] = "AWS::Serverless::Function";

// One template: evaluates the intrinsic functions that need nothing but the template.
class Template {
 public:
  explicit Template(const YAML::Node& root)
      : parameters_(root["Parameters"]),
        resources_(root["Resources"]),
        globals_(root["Globals"] ? root["Globals"]["Function"] : YAML::Node()) {}

  const YAML::Node& resources() const { return resources_; }
  // What holds for all functions; may be undefined.
  const YAML::Node& globals() const { return globals_; }

  // A function's property, or the template's for all functions. Undefined when there is neither.
  YAML::Node Property(const YAML::Node& properties, const char* name) const {
    const YAML::Node own = properties[name];
    if (own || !globals_ || !globals_.IsMap()) return own;
    return globals_[name];
  }

  // The text that `node` evaluates to; nullopt when that takes more than the template.
  absl::optional<std::string> Evaluate(const YAML::Node& node) const {
    if (node.Tag() == "!Ref") return Reference(node.Scalar());
    if (node.Tag() == "!Sub" && node.IsScalar()) return Substitute(node.Scalar());
    const bool is_plain =
        node.Tag() == "?" || node.Tag() == "!" || absl::StartsWith(node.Tag(), "tag:");
    if (node.IsScalar()) return is_plain ? absl::make_optional(node.Scalar()) : absl::nullopt;
    if (!node.IsMap() || node.size() != 1) return absl::nullopt;
    if (node["Ref"]) return Reference(node["Ref"].Scalar());
    if (node["Fn::Sub"] && node["Fn::Sub"].IsScalar()) return Substitute(node["Fn::Sub"].Scalar());
    return absl::nullopt;
  }

  std::string Text(const YAML::Node& node, absl::string_view what) const {
    const absl::optional<std::string> text = Evaluate(node);
    if (!text.has_value()) {
      throw YamlError(node, absl::StrCat(what, ": expected text, !Ref or !Sub"));
    }
    return *text;
  }

  // `FunctionName`, or the logical id.
  std::string NameOf(const std::string& logical_id) const {
    const YAML::Node properties = resources_[logical_id]["Properties"];
    const bool is_named = properties && properties["FunctionName"];
    return is_named ? Text(properties["FunctionName"], "FunctionName") : logical_id;
  }

 private:
  // A parameter's default; a function's name; for any other resource its logical id stands in.
  absl::optional<std::string> Reference(const std::string& name) const {
    if (parameters_ && parameters_[name]) {
      const YAML::Node value = parameters_[name]["Default"];
      return value ? absl::make_optional(value.Scalar()) : absl::nullopt;
    }
    if (!resources_[name]) return absl::nullopt;
    const YAML::Node type = resources_[name]["Type"];
    return type && type.Scalar() == kFunctionType ? NameOf(name) : name;
  }

  absl::optional<std::string> Substitute(const std::string& text) const {
    std::string result;
    size_t at = 0;
    while (true) {
      const size_t begin = text.find("${", at);
      result += text.substr(at, begin - at);
      if (begin == std::string::npos) return result;
      const size_t end = text.find('}', begin);
      if (end == std::string::npos) return absl::nullopt;
      const absl::optional<std::string> value = Reference(text.substr(begin + 2, end - begin - 2));
      if (!value.has_value()) return absl::nullopt;
      result += *value;
      at = end + 1;
    }
  }

  const YAML::Node parameters_;
  const YAML::Node resources_;
  const YAML::Node globals_;
};

std::vector<std::string> CommandFor(const std::string& runtime, const std::string& handler) {
  if (absl::StartsWith(runtime, "python")) return {"python3", "-m", "awslambdaric", handler};
  if (absl::StartsWith(runtime, "nodejs")) return {"npx", "aws-lambda-ric", handler};
  if (absl::StartsWith(runtime, "provided")) return {"./bootstrap"};
  return {};
}

void ReadDurableConfig(const Template& sam, const YAML::Node& node, v1::DurableConfig& config) {
  ExpectMap(node, "DurableConfig");
  if (const YAML::Node timeout = node["ExecutionTimeout"]) {
    config.set_execution_timeout(WholeNumber(timeout, sam.Text(timeout, "ExecutionTimeout"),
                                             "ExecutionTimeout", 1, 31'622'400));
  }
  if (const YAML::Node days = node["RetentionPeriodInDays"]) {
    config.set_retention_period_in_days(
        WholeNumber(days, sam.Text(days, "RetentionPeriodInDays"), "RetentionPeriodInDays", 1, 90));
  }
}

// Of a function's properties, or of the template's for all functions.
void ReadEnvironment(const Template& sam, const YAML::Node& properties, LambdaFunction& function,
                     std::vector<std::string>& notes) {
  if (!properties || !properties["Environment"]) return;
  ExpectMap(properties["Environment"], "Environment");
  const YAML::Node variables = properties["Environment"]["Variables"];
  if (!variables) return;
  ExpectMap(variables, "Variables");
  for (const auto& entry : variables) {
    const std::string name = entry.first.Scalar();
    const absl::optional<std::string> value = sam.Evaluate(entry.second);
    if (value.has_value()) {
      function.environment[name] = *value;
    } else {
      notes.push_back(absl::StrCat(function.spec.function_name(), ": environment variable ", name,
                                   " is left out: only text, !Ref and !Sub are evaluated"));
    }
  }
}

class FunctionReader {
 public:
  FunctionReader(const Template& sam, const YAML::Node& properties)
      : sam_(sam), properties_(properties) {}

  std::string Text(const char* name) const {
    const YAML::Node node = sam_.Property(properties_, name);
    return node ? sam_.Text(node, name) : "";
  }

  int Number(const char* name, int absent, int min, int max) const {
    const YAML::Node node = sam_.Property(properties_, name);
    return node ? WholeNumber(node, sam_.Text(node, name), name, min, max) : absent;
  }

 private:
  const Template& sam_;
  const YAML::Node& properties_;
};

}  // namespace

FunctionFile ReadSamTemplate(const YAML::Node& root, const std::string& folder,
                             const std::vector<std::string>& command) {
  const Template sam(root);
  ExpectMap(sam.resources(), "Resources");
  FunctionFile file;
  for (const auto& entry : sam.resources()) {
    const YAML::Node type = entry.second["Type"];
    const YAML::Node properties = entry.second["Properties"];
    if (!type || type.Scalar() != kFunctionType || !properties) continue;
    const YAML::Node durable = sam.Property(properties, "DurableConfig");
    if (!durable) continue;

    const FunctionReader reader(sam, properties);
    LambdaFunction function;
    function.spec.set_function_name(sam.NameOf(entry.first.Scalar()));
    function.spec.set_durable(true);
    ReadDurableConfig(sam, durable, *function.spec.mutable_durable_config());
    // Lambda's default.
    function.spec.mutable_timeout()->set_seconds(reader.Number("Timeout", 3, 1, 900));
    function.memory_mb = reader.Number("MemorySize", 128, 128, 10240);
    function.handler = reader.Text("Handler");
    function.folder = PathBelow(folder, reader.Text("CodeUri"));
    ReadEnvironment(sam, sam.globals(), function, file.notes);
    ReadEnvironment(sam, properties, function, file.notes);
    function.command =
        command.empty() ? CommandFor(reader.Text("Runtime"), function.handler) : command;
    if (function.command.empty()) {
      throw YamlError(entry.first, absl::StrCat(function.spec.function_name(),
                                                ": no command is known for runtime '",
                                                reader.Text("Runtime"), "': give one behind --"));
    }
    file.functions.push_back(std::move(function));
  }
  return file;
}

}  // namespace rehearse::lambda_host
