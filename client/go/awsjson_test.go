package rehearse

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"

	rehearsev1 "rehearse.dev/rehearse/v1"
)

func TestInputIsWrittenAsAWSDoes(t *testing.T) {
	input := &rehearsev1.DurableExecutionInvocationInput{}
	if err := prototext.Unmarshal([]byte(`
		durable_execution_arn: "arn" checkpoint_token: "AQ=="
		initial_execution_state {
			operations {
				id: "e" type: OPERATION_TYPE_EXECUTION status: OPERATION_STATUS_STARTED
				start_timestamp { seconds: 1790000000 nanos: 123456789 }
				execution_details { input_payload: "<\"Grüße\">" }
			}
			operations {
				id: "1" type: OPERATION_TYPE_STEP name: "" status: OPERATION_STATUS_TIMED_OUT
				step_details { error { stack_trace: ["a", "b"] } }
			}
			operations { id: "2" type: OPERATION_TYPE_CHAINED_INVOKE context_details { replay_children: false } }
		}`), input); err != nil {
		t.Fatal(err)
	}
	const expected = `{
		"DurableExecutionArn": "arn", "CheckpointToken": "AQ==",
		"InitialExecutionState": {"Operations": [
			{"Id": "e", "Type": "EXECUTION", "Status": "STARTED", "StartTimestamp": 1790000000123,
				"ExecutionDetails": {"InputPayload": "<\"Grüße\">"}},
			{"Id": "1", "Type": "STEP", "Name": "", "Status": "TIMED_OUT",
				"StepDetails": {"Attempt": 0, "Error": {"StackTrace": ["a", "b"]}}},
			{"Id": "2", "Type": "CHAINED_INVOKE", "ContextDetails": {"ReplayChildren": false}}
		]}
	}`
	var actual, wanted any
	if err := json.Unmarshal([]byte(expected), &wanted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(marshalAWS(input), &actual); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(actual, wanted) {
		t.Errorf("got %v\nnot %v", actual, wanted)
	}
}

func TestAnEmptyStateHasItsList(t *testing.T) {
	input := &rehearsev1.DurableExecutionInvocationInput{
		InitialExecutionState: &rehearsev1.ExecutionState{}}
	const expected = `{"CheckpointToken":"","DurableExecutionArn":"","InitialExecutionState":{"Operations":[]}}`
	if actual := string(marshalAWS(input)); actual != expected {
		t.Errorf("got %s, not %s", actual, expected)
	}
}

func TestSpecsHaveWholeSeconds(t *testing.T) {
	spec := Function{Name: "f", Durable: true, ExecutionTimeout: time.Minute, InvocationTimeout: time.Hour}.spec()
	if spec.GetDurableConfig().GetExecutionTimeout() != 60 || spec.GetTimeout().GetSeconds() != 3600 {
		t.Error(spec)
	}
	if spec := (Function{Name: "f"}).spec(); spec.DurableConfig != nil || spec.Timeout != nil {
		t.Error(spec)
	}
}
