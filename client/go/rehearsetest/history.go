package rehearsetest

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

// Event is one entry of a history. Members that the event's type does not have are zero.
type Event struct {
	// ID counts from 1.
	ID int64
	// Type is AWS's name, for example "StepSucceeded".
	Type string
	// Time is on the execution's clock.
	Time                                 time.Time
	OperationID, ParentID, Name, SubType string
	// Payload is the input of what started, the result of what succeeded, the reason of a pause or
	// resume; nil: none.
	Payload *string
	Err     *rehearse.FunctionError
	// Attempt is the step's attempt that has ended, from 1; NextAttemptDelay what was asked for, 0
	// when there is no further one.
	Attempt          int
	NextAttemptDelay time.Duration
	// Duration is that of a wait.
	Duration time.Duration
	// Timeout is that of an execution or a callback; 0: none.
	Timeout, HeartbeatTimeout time.Duration
	CallbackID                string
	// FunctionName, TenantID, ExecutedVersion and DurableExecutionARN tell of a chained invoke.
	FunctionName, TenantID, ExecutedVersion, DurableExecutionARN string
	// RequestID, StartTime and EndTime tell of an invocation that has ended.
	RequestID          string
	StartTime, EndTime time.Time
}

func newEvent(recorded *rehearsev1.Event) *Event {
	event := &Event{
		ID:          recorded.GetEventId(),
		Type:        eventTypeName(recorded.GetEventType()),
		Time:        timeOf(recorded.GetEventTimestamp()),
		OperationID: recorded.GetId(),
		ParentID:    recorded.GetParentId(),
		Name:        recorded.GetName(),
		SubType:     recorded.GetSubType(),
	}
	event.setPayload(recorded)
	seconds := func(number int32) time.Duration { return time.Duration(number) * time.Second }
	switch details := recorded.GetDetails().(type) {
	case *rehearsev1.Event_ExecutionStartedDetails:
		event.Timeout = seconds(details.ExecutionStartedDetails.GetExecutionTimeout())
	case *rehearsev1.Event_WaitStartedDetails:
		event.Duration = seconds(details.WaitStartedDetails.GetDuration())
	case *rehearsev1.Event_WaitSucceededDetails:
		event.Duration = seconds(details.WaitSucceededDetails.GetDuration())
	case *rehearsev1.Event_StepSucceededDetails:
		event.setRetry(details.StepSucceededDetails.GetRetryDetails())
	case *rehearsev1.Event_StepFailedDetails:
		event.setRetry(details.StepFailedDetails.GetRetryDetails())
	case *rehearsev1.Event_CallbackStartedDetails:
		event.CallbackID = details.CallbackStartedDetails.GetCallbackId()
		event.Timeout = seconds(details.CallbackStartedDetails.GetTimeout())
		event.HeartbeatTimeout = seconds(details.CallbackStartedDetails.GetHeartbeatTimeout())
	case *rehearsev1.Event_ChainedInvokeStartedDetails:
		event.FunctionName = details.ChainedInvokeStartedDetails.GetFunctionName()
		event.TenantID = details.ChainedInvokeStartedDetails.GetTenantId()
		event.ExecutedVersion = details.ChainedInvokeStartedDetails.GetExecutedVersion()
		event.DurableExecutionARN = details.ChainedInvokeStartedDetails.GetDurableExecutionArn()
	case *rehearsev1.Event_InvocationCompletedDetails:
		event.RequestID = details.InvocationCompletedDetails.GetRequestId()
		event.StartTime = timeOf(details.InvocationCompletedDetails.GetStartTimestamp())
		event.EndTime = timeOf(details.InvocationCompletedDetails.GetEndTimestamp())
	}
	return event
}

// setPayload sets what the details of many types have under the same names.
func (e *Event) setPayload(recorded *rehearsev1.Event) {
	message := recorded.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("details"))
	if field == nil {
		return
	}
	details := message.Get(field).Message().Interface()
	if started, ok := details.(interface{ GetInput() *rehearsev1.EventInput }); ok && started.GetInput() != nil {
		e.Payload = started.GetInput().Payload
	}
	if ended, ok := details.(interface {
		GetResult() *rehearsev1.EventResult
	}); ok && ended.GetResult() != nil {
		e.Payload = ended.GetResult().Payload
	}
	if held, ok := details.(interface {
		GetReason() *rehearsev1.EventReason
	}); ok && held.GetReason() != nil {
		e.Payload = held.GetReason().Payload
	}
	if failed, ok := details.(interface{ GetError() *rehearsev1.EventError }); ok {
		e.Err = rehearse.NewFunctionError(failed.GetError().GetPayload())
	}
}

func (e *Event) setRetry(details *rehearsev1.RetryDetails) {
	e.Attempt = int(details.GetCurrentAttempt())
	e.NextAttemptDelay = time.Duration(details.GetNextAttemptDelaySeconds()) * time.Second
}

// eventTypeName is "StepTimedOut" for EVENT_TYPE_STEP_TIMED_OUT.
func eventTypeName(number rehearsev1.EventType) string {
	var name strings.Builder
	for word := range strings.SplitSeq(strings.TrimPrefix(number.String(), "EVENT_TYPE_"), "_") {
		name.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return name.String()
}

// FormatHistory is a line per event: id, time since the first event, type, name - indented by the
// contexts around it - and the start of what was recorded.
func FormatHistory(events []*Event) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\ttime\tevent\tname\trecorded")
	depths := map[string]int{"": -1}
	for _, event := range events {
		depth := depths[event.ParentID] + 1
		depths[event.OperationID] = depth
		depths[""] = -1
		fmt.Fprintf(table, "%d\t+%s\t%s\t%s%s\t%s\n", event.ID, event.Time.Sub(events[0].Time).Round(time.Millisecond),
			event.Type, strings.Repeat("  ", depth), event.Name, abbreviate(event.recorded()))
	}
	table.Flush()
	return text.String()
}

func (e *Event) recorded() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Payload != nil:
		return *e.Payload
	case e.Duration > 0:
		return e.Duration.String()
	}
	return ""
}

// recordedCharacters is how much of a payload or error a line shows.
const recordedCharacters = 60

// abbreviate is text on one line, cut to recordedCharacters.
func abbreviate(text string) string {
	quoted := strconv.Quote(text)
	line := strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	if characters := []rune(line); len(characters) > recordedCharacters {
		return fmt.Sprintf("%s... (%d bytes)", string(characters[:recordedCharacters]), len(text))
	}
	return line
}
