/** ListUserPools and ListUsers. */

import { pageOf } from '../paging.ts';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import type { CognitoAccess } from './access.ts';
import { described } from './administration.ts';

const code = 'InvalidParameterException';
const invalidToken = () => new AwsError(code, 'Invalid pagination token.');

export function listUserPools({ pools }: CognitoAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, code);
  call.authorize('cognito-idp:ListUserPools', '*');
  const limit = input.optionalInteger('MaxResults', 1, 60);
  if (limit === undefined)
    throw new AwsError(
      code,
      "1 validation error detected: Value null at 'maxResults' failed to satisfy constraint: Member must not be null",
    );
  const token = input.optionalString('NextToken', { min: 1 });
  const all = [...pools.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { items, nextToken } = pageOf(all, { list: 'pools', limit, token, invalidToken });
  return { UserPools: items.map(({ id, name }) => ({ Id: id, Name: name })), NextToken: nextToken };
}

export function listUsers({ pools, users }: CognitoAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, code);
  const id = input.string('UserPoolId', { max: 55 });
  const pool = pools.get(id);
  if (!pool) throw new AwsError('ResourceNotFoundException', `User pool ${id} does not exist.`);
  call.authorize('cognito-idp:ListUsers', pool.arn);
  for (const member of ['Filter', 'AttributesToGet'])
    if (input.has(member))
      throw new AwsError(
        'UnsupportedOperation',
        `The embedded cloud does not implement ${member} of cognito-idp:ListUsers.`,
      );
  const { items, nextToken } = pageOf(users.list(pool), {
    list: `users ${id}`,
    limit: input.optionalInteger('Limit', 1, 60) ?? 60,
    token: input.optionalString('PaginationToken', { min: 1 }),
    invalidToken,
  });
  return { Users: items.map((user) => described(user, 'Attributes')), PaginationToken: nextToken };
}
