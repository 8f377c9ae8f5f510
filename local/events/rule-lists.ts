/** ListRules and ListTargetsByRule: the declared rules, as templates have them. */

import { pageOf } from '../paging.ts';
import { AwsError, type DeclaredResource, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';

const mostAtOnce = 100;

function page(input: RequestMembers, list: string) {
  return {
    list,
    limit: input.optionalInteger('Limit', 1, mostAtOnce) ?? mostAtOnce,
    token: input.optionalString('NextToken', { min: 1, max: 2048 }),
    invalidToken: () => new AwsError('ValidationException', 'The provided NextToken is not valid.'),
  };
}

function requireDefaultBus(input: RequestMembers): void {
  const bus = input.optionalString('EventBusName') ?? 'default';
  if (bus !== 'default' && !bus.endsWith(':event-bus/default'))
    throw new AwsError('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
}

export function listRules(rules: readonly DeclaredResource[], call: JsonCall, ruleArn: string): object {
  const input = new RequestMembers(call.input, 'ValidationException');
  call.authorize('events:ListRules', ruleArn);
  requireDefaultBus(input);
  const prefix = input.optionalString('NamePrefix', { min: 1, max: 64 }) ?? '';
  const found = rules.filter(({ physicalId }) => physicalId.startsWith(prefix));
  found.sort((a, b) => (a.physicalId < b.physicalId ? -1 : 1));
  const { items, nextToken } = pageOf(found, page(input, `rules ${prefix}`));
  return {
    Rules: items.map(({ physicalId, attributes, properties }) => ({
      Name: physicalId,
      Arn: attributes.Arn,
      EventPattern: properties.EventPattern && JSON.stringify(properties.EventPattern),
      ScheduleExpression: properties.ScheduleExpression,
      Description: properties.Description,
      State: properties.State ?? 'ENABLED',
      EventBusName: 'default',
    })),
    NextToken: nextToken,
  };
}

export function listTargetsByRule(
  rules: readonly DeclaredResource[],
  call: JsonCall,
  ruleArn: string,
): object {
  const input = new RequestMembers(call.input, 'ValidationException');
  const name = input.string('Rule', { max: 64 });
  call.authorize('events:ListTargetsByRule', ruleArn.replace('*', name));
  requireDefaultBus(input);
  const rule = rules.find(({ physicalId }) => physicalId === name);
  if (!rule)
    throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
  const { items, nextToken } = pageOf<object>(rule.properties.Targets ?? [], page(input, `targets ${name}`));
  return { Targets: items, NextToken: nextToken };
}
