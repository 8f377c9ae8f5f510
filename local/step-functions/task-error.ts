/** Errors as state machines see them. */
import { AwsError } from '../platform.ts';

/** States and task results may hold this much. */
export const payloadLimitBytes = 256 * 1024;
const causeLimit = 32_768;

/** The interpreter takes the error's name as `Error` and its message as `Cause`. */
export class StateError extends Error {
  /** False for errors that no Retry or Catch sees. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;
  constructor(error: string, cause: string) {
    super(cause.slice(0, causeLimit));
    this.name = error;
    this.isRetryable = this.isCatchable = error !== 'States.DataLimitExceeded' && error !== 'States.Runtime';
  }
}

/** Throws `States.DataLimitExceeded`. */
export function checkSize(value: unknown, what: string): void {
  if (Buffer.byteLength(JSON.stringify(value ?? null)) > payloadLimitBytes)
    throw new StateError(
      'States.DataLimitExceeded',
      `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    );
}

/** A refusal of another AWS service, named as Step Functions names it: `Batch.ServerException`. */
export function serviceError(service: 'Batch' | 'Lambda', error: unknown): StateError {
  if (!(error instanceof AwsError)) throw error;
  const modelled =
    service === 'Batch' ? /^(Client|Server|TooManyRequests)Exception$/ : /^(?!AccessDenied)\w+Exception$/;
  const name = modelled.test(error.code) ? `${service}.${error.code}` : `${service}.AWS${service}Exception`;
  const where = `Service: AWS${service}; Status Code: ${error.status}; Error Code: ${error.code}`;
  return new StateError(name, `${error.message} (${where})`);
}
