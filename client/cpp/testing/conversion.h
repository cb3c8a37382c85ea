// The contract's messages as the plain data of results.
#ifndef REHEARSE_CLIENT_CPP_TESTING_CONVERSION_H_
#define REHEARSE_CLIENT_CPP_TESTING_CONVERSION_H_

#include "client/cpp/durable/operation.h"
#include "client/cpp/testing/event.h"
#include "client/cpp/testing/run_result.h"
#include "rehearse/v1/event.pb.h"
#include "rehearse/v1/execution.pb.h"
#include "rehearse/v1/operation.pb.h"

namespace durable::testing::internal {

namespace v1 = ::rehearse::v1;

Event ToEvent(const v1::Event& event);
RecordedOperation ToRecordedOperation(const v1::Operation& operation);
absl::Time ToTime(const google::protobuf::Timestamp& time);
v1::OperationStatus FromOperationStatus(OperationStatus status);
ExecutionStatus ToExecutionStatus(v1::ExecutionStatus status);
ErrorObject ToErrorObject(const v1::ErrorObject& error);
v1::ErrorObject FromErrorObject(const ErrorObject& error);

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_CONVERSION_H_
