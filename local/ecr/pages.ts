/** ECR's `maxResults` and `nextToken` over a list in a stable order. */
import { AwsError } from '../platform.ts';
import type { RequestMembers } from '../request-members.ts';

/** One page; the token is the position of the next. Throws `InvalidParameterException` for a token that isn't ours. */
export function nextPage<T>(
  all: T[],
  input: RequestMembers,
  defaultCount: number,
  maxCount: number,
): { items: T[]; nextToken?: string } {
  const count = input.optionalInteger('maxResults', 1, maxCount) ?? defaultCount;
  const token = input.optionalString('nextToken');
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('InvalidParameterException', 'The specified parameter is invalid: nextToken');
  const end = start + count;
  return {
    items: all.slice(start, end),
    ...(end < all.length && { nextToken: Buffer.from(String(end)).toString('base64url') }),
  };
}
