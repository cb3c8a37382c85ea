package rehearse

import (
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// APIError is an error that the service has answered. An AWS error arrives as the type of its
// name, which wraps an APIError:
//
//	var missing *rehearse.ResourceNotFoundException
//	if errors.As(err, &missing) { ... }
//	var api *rehearse.APIError
//	if errors.As(err, &api) { fmt.Println(api.Code, api.Message) }
type APIError struct {
	// Code is AWS's name of the error; of an error that AWS does not have, the name of its gRPC code.
	Code    string
	Message string
	// Metadata is that of the error's google.rpc.ErrorInfo, for example http_status.
	Metadata map[string]string
	// RetryDelay is how long to wait before another try; 0: not said.
	RetryDelay time.Duration

	status *status.Status
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// ErrorCode and ErrorMessage are named as in AWS's SDK.
func (e *APIError) ErrorCode() string    { return e.Code }
func (e *APIError) ErrorMessage() string { return e.Message }

// GRPCStatus makes status.FromError and status.Code work.
func (e *APIError) GRPCStatus() *status.Status { return e.status }

type (
	// InvalidParameterValueException: the request is not valid, or its checkpoint token is stale.
	InvalidParameterValueException struct{ *APIError }
	// ResourceNotFoundException: there is no such execution, function, callback or session.
	ResourceNotFoundException struct{ *APIError }
	// DurableExecutionAlreadyStartedException: the execution's name is in use with another input.
	DurableExecutionAlreadyStartedException struct{ *APIError }
	// ResourceConflictException: what was asked for does not fit the state, for example a resume of
	// what is not paused.
	ResourceConflictException struct{ *APIError }
	// CallbackTimeoutException: the callback is no longer open.
	CallbackTimeoutException struct{ *APIError }
	// TooManyRequestsException: see RetryDelay.
	TooManyRequestsException struct{ *APIError }
	// RequestTooLargeException: the request is longer than the service takes.
	RequestTooLargeException struct{ *APIError }
	// ServiceException: the service failed.
	ServiceException struct{ *APIError }
)

func (e *InvalidParameterValueException) Unwrap() error          { return e.APIError }
func (e *ResourceNotFoundException) Unwrap() error               { return e.APIError }
func (e *DurableExecutionAlreadyStartedException) Unwrap() error { return e.APIError }
func (e *ResourceConflictException) Unwrap() error               { return e.APIError }
func (e *CallbackTimeoutException) Unwrap() error                { return e.APIError }
func (e *TooManyRequestsException) Unwrap() error                { return e.APIError }
func (e *RequestTooLargeException) Unwrap() error                { return e.APIError }
func (e *ServiceException) Unwrap() error                        { return e.APIError }

// fromGRPC returns what err, of a gRPC call, stands for.
func fromGRPC(err error) error {
	if err == nil {
		return nil
	}
	var known *APIError
	state, ok := status.FromError(err)
	if !ok || errors.As(err, &known) {
		return err
	}
	return fromStatus(state)
}

func fromStatus(state *status.Status) error {
	api := &APIError{Code: state.Code().String(), Message: state.Message(), status: state}
	for _, detail := range state.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			api.Code, api.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.RetryInfo:
			api.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	return named(api)
}

func named(api *APIError) error {
	switch api.Code {
	case "InvalidParameterValueException":
		return &InvalidParameterValueException{api}
	case "ResourceNotFoundException":
		return &ResourceNotFoundException{api}
	case "DurableExecutionAlreadyStartedException":
		return &DurableExecutionAlreadyStartedException{api}
	case "ResourceConflictException":
		return &ResourceConflictException{api}
	case "CallbackTimeoutException":
		return &CallbackTimeoutException{api}
	case "TooManyRequestsException":
		return &TooManyRequestsException{api}
	case "RequestTooLargeException":
		return &RequestTooLargeException{api}
	case "ServiceException":
		return &ServiceException{api}
	}
	return api
}
