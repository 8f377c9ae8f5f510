/** EventBridge Scheduler: declared schedules that act through their own roles. */
import { randomUUID } from 'node:crypto';
import type { Cloud, DeclaredResource, Service } from './platform.ts';
import { createScheduleClock, type DeclaredSchedule } from './scheduling/clock.ts';
import { targetKind } from './scheduling/delivery.ts';
import { createDeliveryJournal } from './scheduling/journal.ts';
import { createPump } from './scheduling/pump.ts';
import { generatedName } from './template/names.ts';

const defaultRetries = 185;
const defaultAgeSeconds = 86_400;
const clockTickMs = 1_000;

interface ScheduleTarget {
  Arn: string;
  RoleArn: string;
  Input?: string;
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumRetryAttempts?: number | string; MaximumEventAgeInSeconds?: number | string };
}

/** Puts what Scheduler knows of a run where the input names it. */
function fillInput(input: string, known: Record<string, string>): string {
  return input.replace(
    /<aws\.scheduler\.([a-z-]+)>/g,
    (placeholder, name: string) => known[name] ?? placeholder,
  );
}

const instant = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** Scheduler on `cloud.db`. */
export function createScheduler(cloud: Cloud): Service {
  const journal = createDeliveryJournal(cloud, 'scheduler');
  const pump = createPump(cloud, 'scheduler', journal);
  const clock = createScheduleClock(cloud, 'scheduler');
  let stopClock = (): void => undefined;

  function fire(arn: string, target: ScheduleTarget, dueAt: number): void {
    // Without an input, Scheduler sends an event of its own.
    const otherwise = JSON.stringify({
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: cloud.accountId,
      time: `${new Date(dueAt).toISOString().slice(0, 19)}Z`,
      region: cloud.region,
      resources: [arn],
      detail: '{}',
    });
    const payload = fillInput(target.Input ?? otherwise, {
      'schedule-arn': arn,
      'scheduled-time': `${new Date(dueAt).toISOString().slice(0, 19)}Z`,
      'execution-id': randomUUID(),
      'attempt-number': '1',
    });
    journal.add({
      source: { service: 'scheduler.amazonaws.com', arn },
      target: { arn: target.Arn, roleArn: target.RoleArn },
      payload,
      deadLetter: { queueArn: target.DeadLetterConfig?.Arn, body: payload },
      maxRetries: Number(target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetries),
      maxAgeSeconds: Number(target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultAgeSeconds),
      notBefore: cloud.now().getTime(),
    });
  }

  function read({ logicalId, attributes, properties }: DeclaredResource): DeclaredSchedule[] {
    const target: ScheduleTarget = properties.Target;
    targetKind(target.Arn);
    if (!target.RoleArn) throw new Error(`${logicalId}: a schedule's target requires a RoleArn`);
    if (properties.State === 'DISABLED') return [];
    const arn = attributes.Arn ?? '';
    return [
      {
        name: arn,
        expression: properties.ScheduleExpression,
        timeZone: properties.ScheduleExpressionTimezone,
        startsAt: instant(properties.StartDate),
        endsAt: instant(properties.EndDate),
        fire: (dueAt) => fire(arn, target, dueAt),
      },
    ];
  }

  return {
    signingName: 'scheduler',
    resourceTypes: {
      'AWS::Scheduler::Schedule': {
        physicalId: (declared) => declared.properties?.Name ?? generatedName(declared),
        attributes: ({ physicalId, properties }) => ({
          Arn: `arn:aws:scheduler:${cloud.region}:${cloud.accountId}:schedule/${properties?.GroupName ?? 'default'}/${physicalId}`,
        }),
      },
    },
    async deploy(resources) {
      clock.declare(resources.flatMap(read));
    },
    async start() {
      pump.start();
      stopClock = cloud.every(clockTickMs, 'schedules', () => {
        if (clock.tick()) pump.kick();
      });
    },
    async stop() {
      stopClock();
      await pump.stop();
    },
    operations: {},
  };
}
