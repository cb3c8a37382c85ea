// ServiceError: what the service refuses, with AWS's name.
//
//   try {
//     await session.sendCallbackSuccess(callbackId, '"yes"');
//   } catch (error) {
//     if (error instanceof ServiceError && error.name === 'CallbackTimeoutException') ...
//   }
import {fromBinary} from '@bufbuild/protobuf';
import {ErrorInfoSchema, StatusSchema} from './generated/rehearse/v1/error_details_pb';

export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatusName = keyof typeof GrpcStatus;

// Shaped like an exception of AWS's SDK.
export class ServiceError extends Error {
  /** AWS's name of the error, for example `ResourceNotFoundException`; of an error that AWS does not
   * have, the name of its gRPC code. */
  override readonly name: string;
  readonly code: GrpcStatusName;
  readonly $fault: 'client' | 'server';
  readonly $metadata: {httpStatusCode: number | undefined};

  constructor(
    code: GrpcStatusName,
    message: string,
    options: {name?: string; httpStatusCode?: number; cause?: unknown} = {},
  ) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.code = code;
    this.name = options.name ?? code;
    const isServerFault = options.httpStatusCode === undefined || options.httpStatusCode >= 500;
    this.$fault = isServerFault ? 'server' : 'client';
    this.$metadata = {httpStatusCode: options.httpStatusCode};
  }
}

const codeName = (code: number) =>
  (Object.keys(GrpcStatus) as GrpcStatusName[]).find((name) => GrpcStatus[name] === code) ??
  'UNKNOWN';

/** @internal `details`: a google.rpc.Status. */
export function serviceError(code: number, message: string, details?: Uint8Array): ServiceError {
  const infos = details === undefined ? [] : fromBinary(StatusSchema, details).details;
  return named(code, message, infos);
}

/** @internal */
export function named(
  code: number,
  message: string,
  details: readonly {typeUrl: string; value: Uint8Array}[],
): ServiceError {
  const any = details.find(({typeUrl}) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
  if (any === undefined) return new ServiceError(codeName(code), message);
  const info = fromBinary(ErrorInfoSchema, any.value);
  const httpStatus = info.metadata['http_status'];
  return new ServiceError(codeName(code), message, {
    name: info.reason || undefined,
    httpStatusCode: httpStatus === undefined ? undefined : Number(httpStatus),
  });
}
