#include "client/cpp/testing/event.h"

namespace durable::testing {
namespace {

struct Spelling {
  absl::string_view name;
  absl::string_view code;
};

Spelling SpellingOf(EventType type) {
  switch (type) {
    case EventType::kExecutionStarted:
      return {"ExecutionStarted", "ES"};
    case EventType::kExecutionSucceeded:
      return {"ExecutionSucceeded", "XS"};
    case EventType::kExecutionFailed:
      return {"ExecutionFailed", "XF"};
    case EventType::kExecutionTimedOut:
      return {"ExecutionTimedOut", "XT"};
    case EventType::kExecutionStopped:
      return {"ExecutionStopped", "XP"};
    case EventType::kExecutionPaused:
      return {"ExecutionPaused", "XH"};
    case EventType::kExecutionResumed:
      return {"ExecutionResumed", "XR"};
    case EventType::kContextStarted:
      return {"ContextStarted", "CS"};
    case EventType::kContextSucceeded:
      return {"ContextSucceeded", "CX"};
    case EventType::kContextFailed:
      return {"ContextFailed", "CF"};
    case EventType::kWaitStarted:
      return {"WaitStarted", "WS"};
    case EventType::kWaitSucceeded:
      return {"WaitSucceeded", "WX"};
    case EventType::kWaitCancelled:
      return {"WaitCancelled", "WC"};
    case EventType::kStepStarted:
      return {"StepStarted", "SS"};
    case EventType::kStepSucceeded:
      return {"StepSucceeded", "SX"};
    case EventType::kStepFailed:
      return {"StepFailed", "SF"};
    case EventType::kChainedInvokeStarted:
      return {"ChainedInvokeStarted", "IS"};
    case EventType::kChainedInvokeSucceeded:
      return {"ChainedInvokeSucceeded", "IX"};
    case EventType::kChainedInvokeFailed:
      return {"ChainedInvokeFailed", "IF"};
    case EventType::kChainedInvokeTimedOut:
      return {"ChainedInvokeTimedOut", "IT"};
    case EventType::kChainedInvokeStopped:
      return {"ChainedInvokeStopped", "IP"};
    case EventType::kCallbackStarted:
      return {"CallbackStarted", "BS"};
    case EventType::kCallbackSucceeded:
      return {"CallbackSucceeded", "BX"};
    case EventType::kCallbackFailed:
      return {"CallbackFailed", "BF"};
    case EventType::kCallbackTimedOut:
      return {"CallbackTimedOut", "BT"};
    case EventType::kInvocationCompleted:
      return {"InvocationCompleted", "IC"};
  }
  return {};
}

}  // namespace

absl::string_view EventTypeName(EventType type) { return SpellingOf(type).name; }

absl::string_view EventTypeCode(EventType type) { return SpellingOf(type).code; }

}  // namespace durable::testing
