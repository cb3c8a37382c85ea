// AWS query strings: a request's members in the query of its URL, read by reflection as in AWS
// JSON.
//
//   v1::ListExecutionsRequest request;
//   absl::Status status = FromAwsQuery({{"Statuses", "RUNNING"}, {"Statuses", "FAILED"},
//                                       {"MaxItems", "10"}}, request);
#ifndef REHEARSE_SERVICE_AWS_JSON_AWS_QUERY_H_
#define REHEARSE_SERVICE_AWS_JSON_AWS_QUERY_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace rehearse {

// A key may be there more than once: a list member takes all, any other the last. Unknown keys are
// passed over. Timestamps are ISO 8601 or seconds since the epoch. InvalidArgument names the
// member: "MaxItems: expected a whole number".
absl::Status FromAwsQuery(const std::vector<std::pair<std::string, std::string>>& query,
                          google::protobuf::Message& message);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_AWS_JSON_AWS_QUERY_H_
