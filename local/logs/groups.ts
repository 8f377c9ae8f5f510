/** DescribeLogGroups. */

import { pageOf } from '../paging.ts';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { authorize, groupName, type LogAccess } from './access.ts';

const code = 'InvalidParameterException';

/** Groups by name, those with a prefix or with a text somewhere in it. */
export function describeLogGroups(access: LogAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, code);
  authorize(access, call, 'DescribeLogGroups', '');
  const prefix = input.optionalString('logGroupNamePrefix', { min: 1, ...groupName });
  const pattern = input.optionalString('logGroupNamePattern', groupName);
  if (prefix !== undefined && pattern !== undefined)
    throw new AwsError(
      code,
      'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.',
    );
  const asked = (input.optionalString('logGroupClass') ?? 'STANDARD') === 'STANDARD';
  const found = access.store
    .groups()
    .filter(({ name }) => asked && name.startsWith(prefix ?? '') && name.includes(pattern ?? ''));
  const { items, nextToken } = pageOf(found, {
    list: `groups ${prefix ?? ''} ${pattern ?? ''}`,
    limit: input.optionalInteger('limit', 1, 50) ?? 50,
    token: input.optionalString('nextToken', { min: 1 }),
    invalidToken: () => new AwsError(code, 'The specified nextToken is invalid.'),
  });
  return {
    logGroups: items.map(({ name, createdAt, retentionDays }) => ({
      logGroupName: name,
      creationTime: createdAt,
      ...(retentionDays !== null && { retentionInDays: retentionDays }),
      metricFilterCount: 0,
      arn: `${access.groupArn(name)}:*`,
      logGroupArn: access.groupArn(name),
      storedBytes: 0,
      logGroupClass: 'STANDARD',
    })),
    nextToken,
  };
}
