/** What every operation on logs needs: the store, names, and AWS's way to say that something is missing. */
import { AwsError, type JsonCall } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';
import type { LogStore, LogStream } from './store.ts';

export interface LogAccess {
  store: LogStore;
  groupArn(group: string): string;
  /** Epoch milliseconds. */
  now(): number;
}

export const groupName = { max: 512, pattern: /^[.\-_/#A-Za-z0-9]+$/ };
export const streamName = { max: 512, pattern: /^[^:*]*$/ };

/** IAM sees a log group as `…:log-group:<name>:log-stream:<stream or nothing>`. */
export function authorize(
  access: LogAccess,
  call: JsonCall,
  action: string,
  group: string,
  stream = '',
): void {
  call.authorize(`logs:${action}`, `${access.groupArn(group)}:log-stream:${stream}`);
}

/** The group of a request, by name or by ARN (`logGroupIdentifier`). */
export function groupOf(input: RequestMembers): string {
  const identifier = input.optionalString('logGroupIdentifier', { max: 2048 });
  if (identifier === undefined) return input.string('logGroupName', groupName);
  return /^arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)/.exec(identifier)?.[1] ?? identifier;
}

export function requireGroup(access: LogAccess, group: string): void {
  if (!access.store.group(group))
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

export function requireStream(access: LogAccess, group: string, stream: string): LogStream {
  requireGroup(access, group);
  const found = access.store.stream(group, stream);
  if (!found) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
  return found;
}
