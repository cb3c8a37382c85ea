// Functions of an AWS SAM template: its AWS::Serverless::Function entries with a DurableConfig.
//
//   FunctionFile file = ReadSamTemplate(YAML::LoadFile("template.yaml"), "/work/orders", {});
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_SAM_TEMPLATE_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_SAM_TEMPLATE_H_

#include <string>
#include <vector>

#include "service/lambda_host/function_file.h"
#include "yaml-cpp/yaml.h"

namespace rehearse::lambda_host {

// `folder` is the template's. An empty `command` is made up from each function's runtime. Throws
// YAML::Exception.
FunctionFile ReadSamTemplate(const YAML::Node& root, const std::string& folder,
                             const std::vector<std::string>& command);

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_SAM_TEMPLATE_H_
