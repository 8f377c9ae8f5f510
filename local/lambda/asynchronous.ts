/** Asynchronous invocations: written down first, tried up to three times, then handed to the dead-letter queue. */
import { randomUUID } from 'node:crypto';
import { AwsError, type Cloud, type DeclaredResource } from '../platform.ts';
import { transaction } from '../transaction.ts';
import type { FunctionConfig } from './declared.ts';
import type { Outcome } from './environment.ts';
import { asyncPayloadLimitBytes } from './limits.ts';

interface Row {
  id: string;
  function_name: string;
  payload: string;
  attempts: number;
  created_at: number;
}

interface Policy {
  retries: number;
  maxAgeSeconds: number;
  onFailureArn?: string;
}

const schema = `CREATE TABLE IF NOT EXISTS lambda_async (
  id TEXT PRIMARY KEY, function_name TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL, next_at INTEGER NOT NULL)`;

/** Runs a function for an event that is already journalled. */
export type Run = (config: FunctionConfig, event: string, requestId: string) => Promise<Outcome>;

export class AsyncInvocations {
  private readonly cloud: Cloud;
  private readonly run: Run;
  private readonly find: (name: string) => FunctionConfig | undefined;
  private readonly retryDelaysMs: readonly number[];
  private readonly policies = new Map<string, Policy>();
  private readonly underWay = new Set<string>();

  constructor(
    cloud: Cloud,
    parts: { run: Run; find(name: string): FunctionConfig | undefined; retryDelaysMs: readonly number[] },
  ) {
    this.cloud = cloud;
    this.run = parts.run;
    this.find = parts.find;
    this.retryDelaysMs = parts.retryDelaysMs;
    cloud.db.exec(schema);
  }

  configure(resources: DeclaredResource[]): void {
    for (const { type, properties } of resources) {
      if (type !== 'AWS::Lambda::EventInvokeConfig') continue;
      this.policies.set(String(properties.FunctionName).replace(/^.*:function:/, ''), {
        retries: properties.MaximumRetryAttempts ?? 2,
        maxAgeSeconds: properties.MaximumEventAgeInSeconds ?? 21_600,
        onFailureArn: properties.DestinationConfig?.OnFailure?.Destination,
      });
    }
  }

  /** @throws AwsError `RequestTooLargeException` (413) */
  accept(config: FunctionConfig, payload: string): void {
    if (Buffer.byteLength(payload) > asyncPayloadLimitBytes) {
      throw new AwsError(
        'RequestTooLargeException',
        `an event can have at most ${asyncPayloadLimitBytes} bytes`,
        413,
      );
    }
    const now = this.cloud.now().getTime();
    this.cloud.db
      .prepare('INSERT INTO lambda_async VALUES (?, ?, ?, 0, ?, ?)')
      .run(randomUUID(), config.name, payload, now, now);
    setImmediate(() => this.work());
  }

  /** Takes up whatever is due; called on a clock, and at once for a new event. */
  work(): void {
    const due = this.cloud.db
      .prepare('SELECT * FROM lambda_async WHERE next_at <= ? ORDER BY next_at LIMIT 100')
      .all(this.cloud.now().getTime()) as unknown as Row[];
    for (const row of due) {
      if (this.underWay.has(row.id)) continue;
      this.underWay.add(row.id);
      this.attempt(row)
        .catch((error: Error) => this.cloud.log('lambda', `${row.function_name}: ${error.message}`))
        .finally(() => this.underWay.delete(row.id));
    }
  }

  private async attempt(row: Row): Promise<void> {
    const { db } = this.cloud;
    const remove = () => db.prepare('DELETE FROM lambda_async WHERE id = ?').run(row.id);
    const config = this.find(row.function_name);
    // The function isn't declared any more: as on AWS, its events go with it.
    if (!config) return void remove();
    const outcome = await this.run(config, row.payload, row.id);
    if (!outcome.failed) return void remove();
    const policy = this.policies.get(config.name) ?? { retries: 2, maxAgeSeconds: 21_600 };
    const now = this.cloud.now().getTime();
    const isOld = now - row.created_at > policy.maxAgeSeconds * 1000;
    if (row.attempts < policy.retries && !isOld) {
      const delayMs = this.retryDelaysMs[row.attempts] ?? 0;
      db.prepare('UPDATE lambda_async SET attempts = attempts + 1, next_at = ? WHERE id = ?').run(
        now + delayMs,
        row.id,
      );
      this.cloud.log('lambda', `${config.name} failed and will be retried: ${outcome.body.slice(0, 300)}`);
      return;
    }
    // Both or neither: a death in between would try it again, and send a second dead letter.
    transaction(db, () => {
      this.giveUp(config, policy, row, outcome);
      remove();
    });
  }

  private giveUp(config: FunctionConfig, policy: Policy, row: Row, outcome: Outcome): void {
    this.cloud.log('lambda', `${config.name} failed and won't be retried: ${outcome.body.slice(0, 300)}`);
    const principal = { arn: config.roleArn, kind: 'role' as const, sessionName: config.name };
    const deliver = (queueArn: string, body: string) => {
      try {
        this.cloud.authorize(principal, 'sqs:SendMessage', queueArn);
        this.cloud.sendToQueue(queueArn, body);
      } catch (error) {
        // As on AWS, a destination that can't be reached loses the event; here at least it is said.
        this.cloud.log(
          'lambda',
          `${config.name}: lost the event, since it could not send it to its destination: ${(error as Error).message}`,
        );
      }
    };
    if (config.deadLetterArn) deliver(config.deadLetterArn, row.payload);
    if (!policy.onFailureArn) return;
    const envelope = {
      version: '1.0',
      timestamp: this.cloud.now().toISOString(),
      requestContext: {
        requestId: row.id,
        functionArn: `${config.arn}:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: row.attempts + 1,
      },
      requestPayload: JSON.parse(row.payload) as unknown,
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: JSON.parse(outcome.body) as unknown,
    };
    deliver(policy.onFailureArn, JSON.stringify(envelope));
  }
}
