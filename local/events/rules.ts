/** Declared rules, checked when they are deployed. */
import type { DeclaredResource } from '../platform.ts';
import { targetKind } from '../scheduling/delivery.ts';
import { compilePattern, type EventTest } from './pattern.ts';
import type { TargetInput } from './target-input.ts';

export interface RuleTarget extends TargetInput {
  Id: string;
  Arn: string;
  RoleArn?: string;
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumRetryAttempts?: number | string; MaximumEventAgeInSeconds?: number | string };
}

export interface Rule {
  name: string;
  arn: string;
  matches?: EventTest;
  scheduleExpression?: string;
  targets: RuleTarget[];
}

const maxTargets = 5;

/** Reads an enabled `AWS::Events::Rule`; throws an Error that names the resource where it is not right. */
export function readRule(resource: DeclaredResource): Rule {
  const { logicalId, properties, attributes, physicalId } = resource;
  const fail = (reason: string): Error => new Error(`${logicalId}: ${reason}`);
  const bus = properties.EventBusName;
  if (bus !== undefined && bus !== 'default' && !String(bus).endsWith(':event-bus/default'))
    throw fail(`the embedded cloud has only the default event bus, not ${bus}`);
  if (!properties.EventPattern && !properties.ScheduleExpression)
    throw fail('a rule requires EventPattern or ScheduleExpression');
  const targets: RuleTarget[] = properties.Targets ?? [];
  if (targets.length > maxTargets) throw fail(`a rule can have at most ${maxTargets} targets`);
  for (const target of targets)
    if (targetKind(target.Arn) === 'states' && !target.RoleArn)
      throw fail(`target ${target.Id} requires a RoleArn`);
  return {
    name: physicalId,
    arn: attributes.Arn ?? '',
    ...(properties.EventPattern && { matches: compilePattern(properties.EventPattern) }),
    ...(properties.ScheduleExpression && { scheduleExpression: properties.ScheduleExpression }),
    targets,
  };
}
