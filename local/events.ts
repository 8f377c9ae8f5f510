/** EventBridge: declared rules over the default bus, scheduled rules, deliveries that survive. */
import { randomUUID } from 'node:crypto';
import { readChaos } from './events/chaos.ts';
import { putEvents } from './events/put-events.ts';
import { listRules, listTargetsByRule } from './events/rule-lists.ts';
import { type Rule, type RuleTarget, readRule } from './events/rules.ts';
import { type BusEvent, targetPayload } from './events/target-input.ts';
import type { Cloud, CloudEvent, DeclaredResource, Service } from './platform.ts';
import { createScheduleClock } from './scheduling/clock.ts';
import { createDeliveryJournal } from './scheduling/journal.ts';
import { createPump } from './scheduling/pump.ts';
import { generatedName } from './template/names.ts';
import { transaction } from './transaction.ts';

export interface EventsOptions {
  /** As in `SLIPWAY_EVENTS_CHAOS`, which is read unless this is given. */
  chaos?: string;
  random?: () => number;
}

export interface Events extends Service {
  /** Puts an event on the default bus, journalled for every matching rule. Returns the event's id. */
  publish(event: CloudEvent): string;
}

const defaultRetries = 185;
const defaultAgeSeconds = 86_400;
const clockTickMs = 1_000;

/** EventBridge on `cloud.db`. */
export function createEvents(cloud: Cloud, options: EventsOptions = {}): Events {
  const chaos = readChaos(options.chaos ?? process.env.SLIPWAY_EVENTS_CHAOS, options.random ?? Math.random);
  const journal = createDeliveryJournal(cloud, 'events');
  const pump = createPump(cloud, 'events', journal);
  const clock = createScheduleClock(cloud, 'events');
  const arnPrefix = `arn:aws:events:${cloud.region}:${cloud.accountId}`;
  let rules: Rule[] = [];
  let declared: DeclaredResource[] = [];
  let stopClock = (): void => undefined;

  function addDelivery(rule: Rule, target: RuleTarget, event: BusEvent, delayMs: number): void {
    const now = cloud.now().getTime();
    journal.add({
      source: { service: 'events.amazonaws.com', arn: rule.arn },
      target: { arn: target.Arn, roleArn: target.RoleArn },
      payload: targetPayload(event, target, rule),
      deadLetter: { queueArn: target.DeadLetterConfig?.Arn, body: JSON.stringify(event) },
      maxRetries: Number(target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetries),
      maxAgeSeconds: Number(target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultAgeSeconds),
      notBefore: now + delayMs,
    });
  }

  function onBus(event: CloudEvent): BusEvent {
    const time = event.time === undefined ? cloud.now() : new Date(event.time);
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': event['detail-type'],
      source: event.source,
      account: cloud.accountId,
      // Whole seconds, as EventBridge has them.
      time: `${time.toISOString().slice(0, 19)}Z`,
      region: cloud.region,
      resources: event.resources ?? [],
      detail: event.detail,
    };
  }

  function publish(published: CloudEvent): string {
    const event = onBus(published);
    transaction(cloud.db, () => {
      for (const rule of rules)
        if (rule.matches?.(event))
          for (const target of rule.targets)
            for (const delayMs of chaos.delaysMs()) addDelivery(rule, target, event, delayMs);
    });
    pump.kick();
    return event.id;
  }

  function fireScheduled(rule: Rule): void {
    const event = onBus({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      detail: {},
      resources: [rule.arn],
    });
    for (const target of rule.targets) addDelivery(rule, target, event, 0);
  }

  return {
    signingName: 'events',
    resourceTypes: {
      'AWS::Events::Rule': {
        physicalId: (declared) => declared.properties?.Name ?? generatedName(declared),
        attributes: ({ physicalId }) => ({ Arn: `${arnPrefix}:rule/${physicalId}` }),
      },
    },
    async deploy(resources) {
      declared = resources;
      rules = resources.filter((one) => one.properties?.State !== 'DISABLED').map(readRule);
      clock.declare(
        rules.flatMap((rule) =>
          rule.scheduleExpression
            ? [{ name: rule.arn, expression: rule.scheduleExpression, fire: () => fireScheduled(rule) }]
            : [],
        ),
      );
    },
    async start() {
      pump.start();
      stopClock = cloud.every(clockTickMs, 'scheduled rules', () => {
        if (clock.tick()) pump.kick();
      });
    },
    async stop() {
      stopClock();
      await pump.stop();
    },
    publish,
    operations: {
      PutEvents: (call) => putEvents(call, `${arnPrefix}:event-bus/default`, publish),
      ListRules: (call) => listRules(declared, call, `${arnPrefix}:rule/*`),
      ListTargetsByRule: (call) => listTargetsByRule(declared, call, `${arnPrefix}:rule/*`),
    },
  };
}
