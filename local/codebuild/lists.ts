/** ListBuilds and ListProjects. */

import { pageOf } from '../paging.ts';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';

const code = 'InvalidInputException';
const pageSize = 100;
const order = { pattern: /^(ASCENDING|DESCENDING)$/ };
const invalidToken = () => new AwsError(code, 'Invalid next token');

/** All builds, the newest first unless asked otherwise. */
export function listBuilds(call: JsonCall, idsOf: (ascending: boolean) => string[]): object {
  const input = new RequestMembers(call.input, code);
  call.authorize('codebuild:ListBuilds', '*');
  const sorted = input.optionalString('sortOrder', order) ?? 'DESCENDING';
  const token = input.optionalString('nextToken', { min: 1 });
  const page = { list: `builds ${sorted}`, limit: pageSize, token, invalidToken };
  const { items, nextToken } = pageOf(idsOf(sorted === 'ASCENDING'), page);
  return { ids: items, nextToken };
}

/** Names of projects. Templates make all of them at once, so that times and names sort alike. */
export function listProjects(call: JsonCall, names: string[]): object {
  const input = new RequestMembers(call.input, code);
  call.authorize('codebuild:ListProjects', '*');
  input.optionalString('sortBy', { pattern: /^(NAME|CREATED_TIME|LAST_MODIFIED_TIME)$/ });
  const sorted = input.optionalString('sortOrder', order) ?? 'ASCENDING';
  const token = input.optionalString('nextToken', { min: 1 });
  const all = names.toSorted();
  if (sorted === 'DESCENDING') all.reverse();
  const page = { list: `projects ${sorted}`, limit: pageSize, token, invalidToken };
  const { items, nextToken } = pageOf(all, page);
  return { projects: items, nextToken };
}
