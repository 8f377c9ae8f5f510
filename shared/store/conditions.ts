/** Conditional writes: what they ask for, and how DynamoDB says no. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { pauseAfter } from './contention.ts';

export type Item = Record<string, unknown>;

export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, unknown>;
}

/** A conditional write that found another state than it asked for; `existing` is the item as it is, where there is one. */
export class ConditionFailedError extends Error {
  readonly existing: Item | undefined;
  /** True where other requests were at work on the same items all the time: nothing is known of the state. */
  readonly isContention: boolean;
  constructor(existing: Item | undefined, isContention = false) {
    super('the item is not in the expected state');
    this.name = 'ConditionFailedError';
    this.existing = existing;
    this.isContention = isContention;
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

const attempts = 5;

/** Reasons to cancel a transaction that have nothing to do with what it asks for. */
const passing = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/**
 * Turns DynamoDB's refusals of `write` into `ConditionFailedError`. What was refused only because others were at work
 * on the same items has written nothing, and asks for the same as before: it is tried again a few times, which the SDK
 * doesn't do. Where they still are, the state is unknown (no `existing`), and the caller reads again.
 */
export async function refusals<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const refusal = error as Refusal;
      if (refusal.name === 'ConditionalCheckFailedException')
        throw new ConditionFailedError(plain(refusal.Item));
      const reasons =
        refusal.name === 'TransactionCanceledException' ? refusal.CancellationReasons : undefined;
      const failed = reasons?.find(({ Code }) => Code === 'ConditionalCheckFailed');
      if (failed) throw new ConditionFailedError(plain(failed.Item));
      // The single write that met a transaction is refused by another name than the transaction that did.
      const isSingle = refusal.name === 'TransactionConflictException';
      const mayPass = isSingle || reasons?.some(({ Code = '' }) => passing.has(Code));
      if (!mayPass) throw error;
      if (attempt >= attempts) throw isSingle ? error : new ConditionFailedError(undefined, true);
      await pauseAfter(attempt);
    }
  }
}
