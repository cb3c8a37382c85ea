package rehearsetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

type (
	// ExecutionStatus is a status of an execution in AWS's spelling.
	ExecutionStatus string
	// OperationStatus is a status of an operation in AWS's spelling.
	OperationStatus string
	// OperationType is a type of operations in AWS's spelling.
	OperationType string
)

const (
	ExecutionStatusRunning   ExecutionStatus = "RUNNING"
	ExecutionStatusPausing   ExecutionStatus = "PAUSING"
	ExecutionStatusPaused    ExecutionStatus = "PAUSED"
	ExecutionStatusSucceeded ExecutionStatus = "SUCCEEDED"
	ExecutionStatusFailed    ExecutionStatus = "FAILED"
	ExecutionStatusTimedOut  ExecutionStatus = "TIMED_OUT"
	ExecutionStatusStopped   ExecutionStatus = "STOPPED"

	OperationStatusStarted   OperationStatus = "STARTED"
	OperationStatusPending   OperationStatus = "PENDING"
	OperationStatusReady     OperationStatus = "READY"
	OperationStatusSucceeded OperationStatus = "SUCCEEDED"
	OperationStatusFailed    OperationStatus = "FAILED"
	OperationStatusCancelled OperationStatus = "CANCELLED"
	OperationStatusTimedOut  OperationStatus = "TIMED_OUT"
	OperationStatusStopped   OperationStatus = "STOPPED"

	OperationTypeContext       OperationType = "CONTEXT"
	OperationTypeStep          OperationType = "STEP"
	OperationTypeWait          OperationType = "WAIT"
	OperationTypeCallback      OperationType = "CALLBACK"
	OperationTypeChainedInvoke OperationType = "CHAINED_INVOKE"
)

func (s OperationStatus) number() rehearsev1.OperationStatus {
	return rehearsev1.OperationStatus(
		rehearsev1.OperationStatus_value["OPERATION_STATUS_"+string(s)])
}

// Result is how a run ended, or stands, and what was recorded on the way. It outlives its Runner.
type Result struct {
	children
	DurableExecutionARN string
	Status              ExecutionStatus
	// Result is JSON, as the function wrote it; "" when there is none (HasResult).
	Result    string
	HasResult bool
	// Err says why the execution failed, timed out or was stopped; nil when nothing does.
	Err *rehearse.FunctionError
	// StartTime and EndTime are on the execution's clock; EndTime is zero while it is open.
	StartTime, EndTime time.Time
	// InvocationCount counts the invocations that have started, crashed ones included.
	InvocationCount int
	History         []*Event
	// WaitingFor is what an open execution cannot go on without.
	WaitingFor []string

	t          testing.TB
	operations []*Operation
}

// Operation is one operation of a run.
type Operation struct {
	children
	ID string
	// ParentID is the context around it; "" directly below the execution.
	ParentID string
	Name     string
	Type     OperationType
	SubType  string
	Status   OperationStatus
	// Result is as recorded; "" when there is none (HasResult).
	Result    string
	HasResult bool
	Err       *rehearse.FunctionError
	// EndTime is zero while it is open.
	StartTime, EndTime time.Time
	// Attempt counts a step's attempts that have ended; NextAttemptTime is when the next is due.
	Attempt         int
	NextAttemptTime time.Time
	// ScheduledEndTime is that of a wait.
	ScheduledEndTime time.Time
	CallbackID       string
	// InvokedExecutionARN is the execution that an invoke of a durable function has started.
	InvokedExecutionARN string
	// ReplayChildren: the context's result was too large to keep.
	ReplayChildren bool
}

// Decode reads the result into value, as json.Unmarshal.
func (r *Result) Decode(value any) error { return json.Unmarshal([]byte(r.Result), value) }

// Decode reads the result into value, as json.Unmarshal.
func (o *Operation) Decode(value any) error { return json.Unmarshal([]byte(o.Result), value) }

// String is the status, result or error, what the run waits for, and the history.
func (r *Result) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s", r.Status)
	if r.HasResult {
		fmt.Fprintf(&text, ", result %s", abbreviate(r.Result))
	}
	if r.Err != nil {
		fmt.Fprintf(&text, ", error %s", abbreviate(r.Err.Error()))
	}
	for _, reason := range r.WaitingFor {
		fmt.Fprintf(&text, "\nwaiting for %s", reason)
	}
	fmt.Fprintf(&text, "\n%s", FormatHistory(r.History))
	return text.String()
}

// String is one line, for example: STEP "charge" FAILED, error Declined: no.
func (o *Operation) String() string {
	text := fmt.Sprintf("%s %q %s", o.Type, o.Name, o.Status)
	if o.HasResult {
		text += ", result " + abbreviate(o.Result)
	}
	if o.Err != nil {
		text += ", error " + abbreviate(o.Err.Error())
	}
	return text
}

// AllOperations are the operations of the run, wherever they are, in creation order.
func (r *Result) AllOperations() []*Operation { return r.operations }

// Operation is the first operation of that name, wherever it is. Without one, the test ends.
func (r *Result) Operation(name string) *Operation {
	r.t.Helper()
	return r.must(r.find(func(o *Operation) bool { return o.Name == name }), "operation", name)
}

// OperationByIndex is the operation at that index, from 0, in AllOperations. Without one, the test
// ends.
func (r *Result) OperationByIndex(index int) *Operation {
	r.t.Helper()
	if index < 0 || index >= len(r.operations) {
		r.t.Fatalf("there are %d operations, none has index %d\n%s", len(r.operations), index, r)
	}
	return r.operations[index]
}

// OperationByID is the operation with that id. Without one, the test ends.
func (r *Result) OperationByID(id string) *Operation {
	r.t.Helper()
	return r.must(r.find(func(o *Operation) bool { return o.ID == id }), "operation with the id", id)
}

func (r *Result) find(matches func(*Operation) bool) *Operation {
	for _, operation := range r.operations {
		if matches(operation) {
			return operation
		}
	}
	return nil
}

func (r *Result) must(operation *Operation, what, name string) *Operation {
	r.t.Helper()
	if operation == nil {
		var there []string
		for _, other := range r.operations {
			there = append(there, other.String())
		}
		r.t.Fatalf("there is no %s %q; there are: %s\n%s", what, name, strings.Join(there, "; "), r)
	}
	return operation
}

// children is what a run and each of its operations have directly below them. Names need not be
// unique: Step and the like give the first operation of their type and that name, in creation
// order. Without one, the test ends, so they are for the test's goroutine.
type children struct {
	run      *Result
	parentID string
}

// Operations are those directly below, in creation order.
func (c children) Operations() []*Operation {
	var below []*Operation
	for _, operation := range c.run.operations {
		if operation.ParentID == c.parentID {
			below = append(below, operation)
		}
	}
	return below
}

func (c children) Step(name string) *Operation {
	c.run.t.Helper()
	return c.get(OperationTypeStep, name)
}

func (c children) Wait(name string) *Operation {
	c.run.t.Helper()
	return c.get(OperationTypeWait, name)
}

func (c children) Context(name string) *Operation {
	c.run.t.Helper()
	return c.get(OperationTypeContext, name)
}

func (c children) Callback(name string) *Operation {
	c.run.t.Helper()
	return c.get(OperationTypeCallback, name)
}

func (c children) Invoke(name string) *Operation {
	c.run.t.Helper()
	return c.get(OperationTypeChainedInvoke, name)
}

func (c children) get(kind OperationType, name string) *Operation {
	c.run.t.Helper()
	return c.run.must(c.run.find(func(o *Operation) bool {
		return o.ParentID == c.parentID && o.Type == kind && o.Name == name
	}), string(kind), name)
}

// read reads everything about an execution.
func (r *Runner) read(ctx context.Context, arn string) (*Result, error) {
	result := &Result{DurableExecutionARN: arn, t: r.t}
	result.children = children{run: result}
	if err := r.readHistory(ctx, result); err != nil {
		return nil, err
	}
	request := &rehearsev1.InspectExecutionRequest{Session: &r.session, DurableExecutionArn: arn}
	for {
		page, err := r.client.InspectExecution(ctx, request)
		if err != nil {
			return nil, err
		}
		if request.Marker == nil {
			result.setExecution(page)
		}
		for _, operation := range page.GetOperations() {
			result.addOperation(operation)
		}
		if request.Marker = page.NextMarker; request.Marker == nil {
			return result, nil
		}
	}
}

func (r *Runner) readHistory(ctx context.Context, result *Result) error {
	request := &rehearsev1.GetExecutionHistoryRequest{
		DurableExecutionArn: result.DurableExecutionARN, Session: &r.session}
	for {
		page, err := r.client.GetExecutionHistory(ctx, request)
		if err != nil {
			return err
		}
		for _, event := range page.GetEvents() {
			result.History = append(result.History, newEvent(event))
		}
		if request.Marker = page.NextMarker; request.Marker == nil {
			return nil
		}
	}
}

func (r *Result) setExecution(page *rehearsev1.InspectExecutionResponse) {
	execution := page.GetExecution()
	r.Status = ExecutionStatus(
		strings.TrimPrefix(execution.GetStatus().String(), "EXECUTION_STATUS_"))
	r.Result, r.HasResult = execution.GetResult(), execution.Result != nil
	r.Err = rehearse.NewFunctionError(execution.GetError())
	r.StartTime = timeOf(execution.GetStartTimestamp())
	r.EndTime = timeOf(execution.GetEndTimestamp())
	r.InvocationCount = int(page.GetInvocationCount())
	for _, reason := range page.GetWaitingFor() {
		r.WaitingFor = append(r.WaitingFor, reason.GetText())
	}
}

func (r *Result) addOperation(recorded *rehearsev1.Operation) {
	if recorded.GetType() == rehearsev1.OperationType_OPERATION_TYPE_EXECUTION {
		return
	}
	operation := &Operation{
		children:  children{run: r, parentID: recorded.GetId()},
		ID:        recorded.GetId(),
		ParentID:  recorded.GetParentId(),
		Name:      recorded.GetName(),
		Type:      OperationType(strings.TrimPrefix(recorded.GetType().String(), "OPERATION_TYPE_")),
		SubType:   recorded.GetSubType(),
		Status:    OperationStatus(strings.TrimPrefix(recorded.GetStatus().String(), "OPERATION_STATUS_")),
		StartTime: timeOf(recorded.GetStartTimestamp()),
		EndTime:   timeOf(recorded.GetEndTimestamp()),
		// Nil messages have zero members.
		Attempt:          int(recorded.GetStepDetails().GetAttempt()),
		NextAttemptTime:  timeOf(recorded.GetStepDetails().GetNextAttemptTimestamp()),
		ScheduledEndTime: timeOf(recorded.GetWaitDetails().GetScheduledEndTimestamp()),
		CallbackID:       recorded.GetCallbackDetails().GetCallbackId(),
		ReplayChildren:   recorded.GetContextDetails().GetReplayChildren(),
	}
	operation.setOutcome(recorded)
	for _, event := range r.History {
		if event.OperationID == operation.ID && event.DurableExecutionARN != "" {
			operation.InvokedExecutionARN = event.DurableExecutionARN
		}
	}
	r.operations = append(r.operations, operation)
}

func (o *Operation) setOutcome(recorded *rehearsev1.Operation) {
	var result *string
	switch details := recorded.GetDetails().(type) {
	case *rehearsev1.Operation_StepDetails:
		result, o.Err = details.StepDetails.Result, rehearse.NewFunctionError(details.StepDetails.Error)
	case *rehearsev1.Operation_ContextDetails:
		result = details.ContextDetails.Result
		o.Err = rehearse.NewFunctionError(details.ContextDetails.Error)
	case *rehearsev1.Operation_CallbackDetails:
		result = details.CallbackDetails.Result
		o.Err = rehearse.NewFunctionError(details.CallbackDetails.Error)
	case *rehearsev1.Operation_ChainedInvokeDetails:
		result = details.ChainedInvokeDetails.Result
		o.Err = rehearse.NewFunctionError(details.ChainedInvokeDetails.Error)
	}
	if result != nil {
		o.Result, o.HasResult = *result, true
	}
}

// timeOf is the zero time for none.
func timeOf(timestamp *timestamppb.Timestamp) time.Time {
	if timestamp == nil {
		return time.Time{}
	}
	return timestamp.AsTime()
}
