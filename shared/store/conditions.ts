/** Conditional writes: what they ask for, and how DynamoDB says no. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

export type Item = Record<string, unknown>;

export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, unknown>;
}

/** A conditional write that found another state than it asked for; `existing` is the item as it is, where there is one. */
export class ConditionFailedError extends Error {
  readonly existing: Item | undefined;
  constructor(existing: Item | undefined) {
    super('the item is not in the expected state');
    this.name = 'ConditionFailedError';
    this.existing = existing;
  }
}

export const absent: Condition = { expression: 'attribute_not_exists(pk)' };
export const present: Condition = { expression: 'attribute_exists(pk)' };
export const versionIs = (version: number): Condition => ({
  expression: '#version = :expected',
  names: { '#version': 'version' },
  values: { ':expected': version },
});

interface ConditionInput {
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

/** A condition as the fields that every DynamoDB write takes. */
export function conditionInput(condition: Condition): ConditionInput;
export function conditionInput(condition?: Condition): Partial<ConditionInput>;
export function conditionInput(condition?: Condition): Partial<ConditionInput> {
  if (!condition) return {};
  return {
    ConditionExpression: condition.expression,
    ...(condition.names ? { ExpressionAttributeNames: condition.names } : {}),
    ...(condition.values ? { ExpressionAttributeValues: condition.values } : {}),
  };
}

/** lib-dynamodb leaves the items inside errors as they came over the wire. */
interface Refusal extends Error {
  Item?: Record<string, AttributeValue>;
  CancellationReasons?: { Code?: string; Item?: Record<string, AttributeValue> }[];
}

const plain = (item: Record<string, AttributeValue> | undefined) => (item ? unmarshall(item) : undefined);

/** Single writes that meet a transaction on the same item are refused at once and not retried by the SDK. */
const conflictAttempts = 5;

/** Turns DynamoDB's refusals of `write` into `ConditionFailedError`. */
export async function refusals<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const refusal = error as Refusal;
      if (refusal.name === 'TransactionConflictException' && attempt < conflictAttempts) {
        await sleep(Math.random() * 25 * attempt);
        continue;
      }
      if (refusal.name === 'ConditionalCheckFailedException')
        throw new ConditionFailedError(plain(refusal.Item));
      if (refusal.name === 'TransactionCanceledException') {
        const reasons = refusal.CancellationReasons ?? [];
        const failed = reasons.find((reason) => reason.Code === 'ConditionalCheckFailed');
        if (failed) throw new ConditionFailedError(plain(failed.Item));
        // Two transactions at once on one item: the state is unknown, so the caller reads again.
        if (reasons.some((reason) => reason.Code === 'TransactionConflict'))
          throw new ConditionFailedError(undefined);
      }
      throw error;
    }
  }
}
