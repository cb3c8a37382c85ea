package rehearsetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

// An operation of a scenario's function; see tests/scenarios/README.md.
type operation struct {
	Op                      string
	Name                    any
	Value, Payload          any
	Fallback                json.RawMessage
	Error                   *errorObject
	Attempts                []attempt
	RetryDelaySeconds       int32 `json:"retry_delay_seconds"`
	Crash                   bool
	Seconds                 int32
	States                  []any
	DelaySeconds            int32 `json:"delay_seconds"`
	Body                    []operation
	TimeoutSeconds          int32 `json:"timeout_seconds"`
	HeartbeatTimeoutSeconds int32 `json:"heartbeat_timeout_seconds"`
	Function                string
}

type attempt struct {
	Result any
	Error  *errorObject
}

type errorObject struct{ Type, Message string }

func (e *errorObject) failure() *rehearse.FunctionError {
	return &rehearse.FunctionError{Type: e.Type, Message: e.Message}
}

// What ends a body that cannot go on in this invocation.
var (
	errSuspended = errors.New("suspended")
	errCrashed   = errors.New("crashed")
)

func plainFunction(body []operation) rehearse.Handler {
	return func(_ context.Context, payload []byte) ([]byte, error) {
		switch last := body[len(body)-1]; last.Op {
		case "input":
			return payload, nil
		case "fail":
			return nil, last.Error.failure()
		default:
			return json.Marshal(expanded(last.Value))
		}
	}
}

// durableFunction is a function that checkpoints by hand. Names of steps that have crashed once are
// in crashed.
func durableFunction(body []operation, crashed *sync.Map) rehearse.Handler {
	return func(ctx context.Context, _ []byte) ([]byte, error) {
		run := &invocation{ctx: ctx, crashed: crashed, callbacks: map[string]string{}}
		value, err := run.start(rehearse.InvocationFromContext(ctx), body)
		return answer(value, err)
	}
}

// answer is what a durable function answers to the end of its body.
func answer(value any, err error) ([]byte, error) {
	var failure *rehearse.FunctionError
	var refused *rehearse.InvalidParameterValueException
	switch {
	case err == nil:
		return json.Marshal(map[string]any{"Status": "SUCCEEDED", "Result": encode(value)})
	case errors.Is(err, errSuspended):
		return json.Marshal(map[string]any{"Status": "PENDING"})
	case errors.As(err, &failure):
		return json.Marshal(map[string]any{"Status": "FAILED", "Error": map[string]any{
			"ErrorType": failure.Type, "ErrorMessage": failure.Message}})
	case errors.As(err, &refused):
		return json.Marshal(map[string]any{"Status": "FAILED", "Error": map[string]any{
			"ErrorType": refused.Code, "ErrorMessage": refused.Message}})
	}
	return nil, err
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func decode(text string) (value any, err error) {
	return value, json.Unmarshal([]byte(text), &value)
}

type invocation struct {
	ctx       context.Context
	crashed   *sync.Map
	service   *rehearse.Invocation
	token     string
	input     any
	recorded  map[string]*rehearsev1.Operation
	callbacks map[string]string // operation ids by name
}

// scope is where operations are numbered: the function, or a context.
type scope struct {
	parent *string
	prefix string
	count  int
}

func (s *scope) next() string {
	s.count++
	return s.prefix + strconv.Itoa(s.count)
}

func (i *invocation) start(service *rehearse.Invocation, body []operation) (any, error) {
	i.service, i.token = service, service.Durable.GetCheckpointToken()
	i.recorded = map[string]*rehearsev1.Operation{}
	state := service.Durable.GetInitialExecutionState()
	i.merge(state.GetOperations())
	for marker := state.NextMarker; marker != nil; {
		page, err := service.GetExecutionState(i.ctx, &rehearsev1.GetExecutionStateRequest{
			DurableExecutionArn: service.Durable.GetDurableExecutionArn(),
			CheckpointToken:     i.token, Marker: marker})
		if err != nil {
			return nil, err
		}
		i.merge(page.GetOperations())
		marker = page.NextMarker
	}
	var err error
	if i.input, err = decode(state.GetOperations()[0].GetExecutionDetails().GetInputPayload()); err != nil {
		return nil, err
	}
	return i.body(&scope{}, body)
}

func (i *invocation) merge(operations []*rehearsev1.Operation) {
	for _, operation := range operations {
		i.recorded[operation.GetId()] = operation
	}
}

func (i *invocation) body(scope *scope, body []operation) (value any, err error) {
	for _, each := range body {
		value, err = i.run(scope, each)
		var failure *rehearse.FunctionError
		if errors.As(err, &failure) && each.Fallback != nil {
			value, err = decode(string(each.Fallback))
		}
		if err != nil {
			return nil, err
		}
	}
	return value, nil
}

func (i *invocation) run(scope *scope, o operation) (any, error) {
	name, _ := expanded(o.Name).(string)
	switch o.Op {
	case "input":
		return i.input, nil
	case "value":
		return expanded(o.Value), nil
	case "fail":
		return nil, o.Error.failure()
	case "step":
		return i.step(scope, name, "Step", o)
	case "wait_for_condition":
		return i.step(scope, name, "WaitForCondition", o)
	case "wait":
		return i.wait(scope, name, o)
	case "child_context":
		return i.context(scope, name, "RunInChildContext", o.Body)
	case "create_callback":
		return i.createCallback(scope, name, o)
	case "callback_result":
		return i.closed(i.callbacks[name], func(text string) (any, error) { return text, nil })
	case "wait_for_callback":
		callback, submitter, result := o, o, o
		callback.Op, callback.Name, callback.Fallback = "create_callback", name+"-callback", nil
		submitter = operation{Op: "step", Name: name + "-submitter", Attempts: []attempt{{}}}
		result = operation{Op: "callback_result", Name: name + "-callback"}
		return i.context(scope, name, "WaitForCallback", []operation{callback, submitter, result})
	case "invoke":
		return i.invoke(scope, name, o)
	}
	return nil, fmt.Errorf("unknown operation %s", o.Op)
}

// checkpoint sends one update of an operation.
func (i *invocation) checkpoint(update *rehearsev1.OperationUpdate) error {
	response, err := i.service.Checkpoint(i.ctx, &rehearsev1.CheckpointRequest{
		DurableExecutionArn: i.service.Durable.GetDurableExecutionArn(),
		CheckpointToken:     i.token,
		Updates:             []*rehearsev1.OperationUpdate{update}})
	if err != nil {
		return err
	}
	i.merge(response.GetNewExecutionState().GetOperations())
	if i.token = response.GetCheckpointToken(); i.token == "" {
		return errSuspended // paused
	}
	return nil
}

// begin sends the START of an operation that is not recorded, or that is due again.
func (i *invocation) begin(id string, start *rehearsev1.OperationUpdate) error {
	recorded := i.recorded[id]
	if recorded != nil && recorded.GetStatus() != rehearsev1.OperationStatus_OPERATION_STATUS_READY {
		return nil
	}
	start.Action = rehearsev1.OperationAction_OPERATION_ACTION_START
	return i.checkpoint(start)
}

func update(id string, scope *scope, kind rehearsev1.OperationType, name, subType string) *rehearsev1.OperationUpdate {
	return &rehearsev1.OperationUpdate{
		Id: id, ParentId: scope.parent, Type: kind, Name: &name, SubType: &subType}
}

// closed is the outcome of an operation that ends by itself, or errSuspended.
func (i *invocation) closed(id string, read func(string) (any, error)) (any, error) {
	recorded := i.recorded[id]
	result, failure := outcome(recorded)
	switch recorded.GetStatus() {
	case rehearsev1.OperationStatus_OPERATION_STATUS_STARTED,
		rehearsev1.OperationStatus_OPERATION_STATUS_PENDING:
		return nil, errSuspended
	case rehearsev1.OperationStatus_OPERATION_STATUS_SUCCEEDED:
		if result == nil {
			return nil, nil
		}
		return read(*result)
	}
	if failure == nil {
		failure = &rehearse.FunctionError{}
	}
	return nil, failure
}

func outcome(o *rehearsev1.Operation) (*string, *rehearse.FunctionError) {
	switch details := o.GetDetails().(type) {
	case *rehearsev1.Operation_StepDetails:
		return details.StepDetails.Result, rehearse.NewFunctionError(details.StepDetails.Error)
	case *rehearsev1.Operation_ContextDetails:
		return details.ContextDetails.Result, rehearse.NewFunctionError(details.ContextDetails.Error)
	case *rehearsev1.Operation_CallbackDetails:
		return details.CallbackDetails.Result, rehearse.NewFunctionError(details.CallbackDetails.Error)
	case *rehearsev1.Operation_ChainedInvokeDetails:
		return details.ChainedInvokeDetails.Result, rehearse.NewFunctionError(details.ChainedInvokeDetails.Error)
	}
	return nil, nil
}

func isTerminal(o *rehearsev1.Operation) bool { return o.GetEndTimestamp() != nil }

func (i *invocation) step(scope *scope, name, subType string, o operation) (any, error) {
	id := scope.next()
	next := func() *rehearsev1.OperationUpdate {
		return update(id, scope, rehearsev1.OperationType_OPERATION_TYPE_STEP, name, subType)
	}
	if err := i.begin(id, next()); err != nil {
		return nil, err
	}
	recorded := i.recorded[id]
	if isTerminal(recorded) || recorded.GetStatus() == rehearsev1.OperationStatus_OPERATION_STATUS_PENDING {
		return i.closed(id, decode)
	}
	if _, before := i.crashed.LoadOrStore(name, true); o.Crash && !before {
		i.service.Crash()
		return nil, errCrashed
	}
	end := next()
	o.endAttempt(end, int(recorded.GetStepDetails().GetAttempt()))
	if err := i.checkpoint(end); err != nil {
		return nil, err
	}
	return i.closed(id, decode)
}

// endAttempt fills in how the attempt, from 0, ends.
func (o operation) endAttempt(end *rehearsev1.OperationUpdate, number int) {
	attempts, delay := o.Attempts, o.RetryDelaySeconds
	for _, state := range o.States {
		attempts, delay = append(attempts, attempt{Result: state}), o.DelaySeconds
	}
	end.Action = rehearsev1.OperationAction_OPERATION_ACTION_SUCCEED
	if ended := attempts[number]; ended.Error != nil {
		end.Action = rehearsev1.OperationAction_OPERATION_ACTION_FAIL
		end.Error = ended.Error.failure().Object()
	} else {
		payload := encode(expanded(ended.Result))
		end.Payload = &payload
	}
	if number+1 < len(attempts) {
		end.Action = rehearsev1.OperationAction_OPERATION_ACTION_RETRY
		end.StepOptions = &rehearsev1.StepOptions{NextAttemptDelaySeconds: &delay}
	}
}

func (i *invocation) wait(scope *scope, name string, o operation) (any, error) {
	id := scope.next()
	start := update(id, scope, rehearsev1.OperationType_OPERATION_TYPE_WAIT, name, "Wait")
	start.WaitOptions = &rehearsev1.WaitOptions{WaitSeconds: &o.Seconds}
	if err := i.begin(id, start); err != nil {
		return nil, err
	}
	return i.closed(id, decode)
}

func (i *invocation) createCallback(scope *scope, name string, o operation) (any, error) {
	id := scope.next()
	i.callbacks[name] = id
	start := update(id, scope, rehearsev1.OperationType_OPERATION_TYPE_CALLBACK, name, "Callback")
	start.CallbackOptions = &rehearsev1.CallbackOptions{
		TimeoutSeconds: &o.TimeoutSeconds, HeartbeatTimeoutSeconds: &o.HeartbeatTimeoutSeconds}
	return nil, i.begin(id, start)
}

func (i *invocation) invoke(scope *scope, name string, o operation) (any, error) {
	id := scope.next()
	payload := encode(expanded(o.Payload))
	start := update(id, scope, rehearsev1.OperationType_OPERATION_TYPE_CHAINED_INVOKE, name, "ChainedInvoke")
	start.Payload = &payload
	start.ChainedInvokeOptions = &rehearsev1.ChainedInvokeOptions{FunctionName: o.Function}
	if err := i.begin(id, start); err != nil {
		return nil, err
	}
	return i.closed(id, decode)
}

func (i *invocation) context(around *scope, name, subType string, body []operation) (any, error) {
	id := around.next()
	next := func() *rehearsev1.OperationUpdate {
		return update(id, around, rehearsev1.OperationType_OPERATION_TYPE_CONTEXT, name, subType)
	}
	if err := i.begin(id, next()); err != nil {
		return nil, err
	}
	if isTerminal(i.recorded[id]) {
		return i.closed(id, decode)
	}
	value, err := i.body(&scope{parent: &id, prefix: id + "-"}, body)
	end := next()
	var failure *rehearse.FunctionError
	if errors.As(err, &failure) {
		end.Action = rehearsev1.OperationAction_OPERATION_ACTION_FAIL
		end.Error = failure.Object()
	} else if err != nil {
		return nil, err
	} else {
		payload := encode(value)
		end.Action = rehearsev1.OperationAction_OPERATION_ACTION_SUCCEED
		end.Payload = &payload
	}
	if err := i.checkpoint(end); err != nil {
		return nil, err
	}
	return i.closed(id, decode)
}
