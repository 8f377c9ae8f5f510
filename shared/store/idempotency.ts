/**
 * `Idempotency-Key`: the first request with a key claims it, does the work and keeps the answer for 24 hours; a
 * repeat gets that answer. A claim whose holder died is taken over, with the same time and so the same ids, so
 * that the second try finds what the first one had written instead of writing it again.
 */
import { createHash, createHmac } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Caller } from '../http/operation.ts';
import { ProblemError } from '../http/problem.ts';
import { type IdKind, newId } from '../model/id.ts';
import { absent, ConditionFailedError, type Item, type Table } from './table.ts';

const keptSeconds = 24 * 3600;
/** API Gateway gives up after 30 s, so nobody still works on an older claim. */
const claimSeconds = 31;

export interface Once {
  caller: Caller;
  key: string;
  /** Operation and URL; with `text` (the body) what the key stands for. */
  operation: string;
  text: string;
  now: Date;
}

export interface Idempotency {
  once(
    request: Once,
    work: (time: Date, newId: (kind: IdKind) => string) => Promise<APIGatewayProxyStructuredResultV2>,
  ): Promise<{ result: APIGatewayProxyStructuredResultV2; repeated: boolean }>;
}

export function createIdempotency(table: Table): Idempotency {
  return {
    async once({ caller, key, operation, text, now }, work) {
      if (!/^[\x21-\x7e]{1,128}$/.test(key))
        throw new ProblemError(
          400,
          'invalid-idempotency-key',
          'Idempotency-Key is 1 to 128 visible ASCII characters.',
        );
      const { organisation, memberId } = caller;
      const sk = `${memberId}#${key}`;
      const hash = createHash('sha256').update(`${operation}\n${text}`).digest('hex');
      const claim = {
        hash,
        claimedAt: now.toISOString(),
        firstAt: now.toISOString(),
        expiresAt: Math.floor(now.getTime() / 1000) + keptSeconds,
      };
      const firstAt = await take(table, organisation, sk, claim);
      if (typeof firstAt !== 'string') return { result: firstAt, repeated: true };
      let made = 0;
      const ids = (kind: IdKind) =>
        newId(
          kind,
          Date.parse(firstAt),
          createHmac('sha256', `${organisation}#${sk}#${hash}`).update(`${firstAt}${made++}`).digest(),
        );
      try {
        const result = await work(new Date(firstAt), ids);
        await table.put(organisation, 'idempotency', sk, { ...claim, firstAt, result });
        return { result, repeated: false };
      } catch (error) {
        // Refused requests have written nothing: the key is free for a corrected one.
        if (error instanceof ProblemError) await table.remove(organisation, 'idempotency', sk);
        throw error;
      }
    },
  };
}

/** The time of the first try once the claim is ours, or the answer that is already there. */
async function take(
  table: Table,
  organisation: string,
  sk: string,
  claim: { hash: string; claimedAt: string; firstAt: string; expiresAt: number },
): Promise<string | APIGatewayProxyStructuredResultV2> {
  try {
    await table.put(organisation, 'idempotency', sk, claim, absent);
    return claim.firstAt;
  } catch (error) {
    if (!(error instanceof ConditionFailedError) || !error.existing) throw error;
    return await resume(table, organisation, sk, claim, error.existing);
  }
}

async function resume(
  table: Table,
  organisation: string,
  sk: string,
  claim: { hash: string; claimedAt: string; firstAt: string; expiresAt: number },
  existing: Item,
): Promise<string | APIGatewayProxyStructuredResultV2> {
  const expired = Number(existing.expiresAt) * 1000 <= Date.parse(claim.claimedAt);
  if (!expired && existing.hash !== claim.hash)
    throw new ProblemError(422, 'idempotency-key-reused', 'This Idempotency-Key belongs to another request.');
  if (!expired && existing.result) return existing.result as APIGatewayProxyStructuredResultV2;
  const abandoned =
    Date.parse(String(existing.claimedAt)) + claimSeconds * 1000 <= Date.parse(claim.claimedAt);
  if (!expired && !abandoned)
    throw new ProblemError(
      409,
      'idempotency-in-progress',
      'The first request with this key is still at work.',
      {},
      { 'retry-after': '2' },
    );
  const firstAt = expired ? claim.firstAt : String(existing.firstAt);
  try {
    await table.put(
      organisation,
      'idempotency',
      sk,
      { ...claim, firstAt },
      {
        expression: 'claimedAt = :seen',
        values: { ':seen': existing.claimedAt },
      },
    );
    return firstAt;
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    throw new ProblemError(
      409,
      'idempotency-in-progress',
      'The first request with this key is still at work.',
      {},
      { 'retry-after': '2' },
    );
  }
}
