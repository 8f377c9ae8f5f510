/**
 * `Idempotency-Key`: the first request with a key claims it, does the work and keeps the answer for 24 hours; a
 * repeat gets that answer. A claim whose holder died is taken over, with the same time and the same ids, so that the
 * second try finds what the first one had written instead of writing it again.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Caller, Operation } from '../http/operation.ts';
import { ProblemError } from '../http/problem.ts';
import { type IdKind, newId } from '../model/id.ts';
import { requestPrint, samePrint } from './request-print.ts';
import type { Seal } from './seal.ts';
import { absent, type Condition, ConditionFailedError, type Item, type Table } from './table.ts';

const keptSeconds = 24 * 3600;
/** API Gateway gives up after 30 s, so nobody still works on an older claim. */
const claimSeconds = 31;
const longAgo = new Date(0).toISOString();

type Result = APIGatewayProxyStructuredResultV2;

export interface Once {
  caller: Pick<Caller, 'organisation' | 'memberId'>;
  key: string;
  /** Operation and URL; with `text` (the body) what the key stands for. */
  operation: string;
  text: string;
  now: Date;
  secret?: NonNullable<Operation['secret']>;
}

export interface Idempotency {
  once(
    request: Once,
    work: (time: Date, newId: (kind: IdKind) => string) => Promise<Result>,
  ): Promise<{ result: Result; repeated: boolean }>;
}

interface Claim extends Item {
  print: string;
  /** Who works on it. */
  holder: string;
  claimedAt: string;
  firstAt: string;
  /** What the ids of the first try were made from. */
  seed: string;
  expiresAt: number;
  result?: Result;
  sealed?: string;
}

/** `seal` is needed by functions whose answers carry a secret. */
export function createIdempotency(table: Table, seal?: Seal): Idempotency {
  return {
    async once(request, work) {
      const { caller, key, secret } = request;
      if (!/^[\x21-\x7e]{1,128}$/.test(key))
        throw new ProblemError(
          400,
          'invalid-idempotency-key',
          'The Idempotency-Key must be 1 to 128 visible ASCII characters.',
        );
      if (secret === 'answer' && !seal) throw new Error('an operation with a secret answer needs a seal');
      const at = { organisation: caller.organisation, sk: `${caller.memberId}#${key}` };
      const claim = await take(table, at, request);
      if (claim.sealed && seal)
        return { result: JSON.parse(await seal.open(claim.sealed)) as Result, repeated: true };
      if (claim.result) return { result: claim.result, repeated: true };
      let made = 0;
      const ids = (kind: IdKind) =>
        newId(
          kind,
          Date.parse(claim.firstAt),
          createHmac('sha256', claim.seed).update(String(made++)).digest(),
        );
      let result: Result;
      try {
        result = await work(new Date(claim.firstAt), ids);
      } catch (error) {
        await letGo(table, at, claim, error);
        throw error;
      }
      const kept =
        secret === 'answer' && seal ? { sealed: await seal.seal(JSON.stringify(result)) } : { result };
      await unlessTakenOver(
        table.put(at.organisation, 'idempotency', at.sk, { ...claim, ...kept }, heldBy(claim.holder)),
      );
      return { result, repeated: false };
    },
  };
}

interface Place {
  organisation: string;
  sk: string;
}

const heldBy = (holder: string): Condition => ({
  expression: 'holder = :holder',
  values: { ':holder': holder },
});

/** Our claim, or the finished one that is already there. Throws a problem where another request has the key. */
async function take(table: Table, { organisation, sk }: Place, request: Once): Promise<Claim> {
  const { text, operation, now, secret } = request;
  const said = `${operation}\n${text}`;
  const claim: Claim = {
    print: await requestPrint(said, secret === 'body'),
    holder: randomUUID(),
    claimedAt: now.toISOString(),
    firstAt: now.toISOString(),
    seed: randomBytes(16).toString('hex'),
    expiresAt: Math.floor(now.getTime() / 1000) + keptSeconds,
  };
  let existing: Claim;
  try {
    await table.put(organisation, 'idempotency', sk, claim, absent);
    return claim;
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
    if (!error.existing) throw inProgress();
    existing = error.existing as Claim;
  }
  // DynamoDB deletes expired items within days, not at once.
  const expired = existing.expiresAt * 1000 <= now.getTime();
  if (!expired && !(await samePrint(existing.print, said)))
    throw new ProblemError(
      422,
      'idempotency-key-reused',
      'This Idempotency-Key belongs to another request. Use a new one.',
    );
  if (!expired && (existing.result || existing.sealed)) return existing;
  if (!expired && Date.parse(existing.claimedAt) + claimSeconds * 1000 > now.getTime()) throw inProgress();
  const next = expired ? claim : { ...claim, firstAt: existing.firstAt, seed: existing.seed };
  try {
    await table.put(organisation, 'idempotency', sk, next, heldBy(existing.holder));
    return next;
  } catch (error) {
    if (error instanceof ConditionFailedError) throw inProgress();
    throw error;
  }
}

/**
 * After a refusal nothing was written, so the key is free for a corrected request. After a fault of ours something may
 * have been: the claim stays, with its ids, and the next try takes it over at once.
 */
async function letGo(table: Table, { organisation, sk }: Place, claim: Claim, error: unknown): Promise<void> {
  const refused = error instanceof ProblemError && error.status < 500;
  await unlessTakenOver(
    refused
      ? table.remove(organisation, 'idempotency', sk, heldBy(claim.holder))
      : table.put(organisation, 'idempotency', sk, { ...claim, claimedAt: longAgo }, heldBy(claim.holder)),
  );
}

/** Whoever took the claim over did the same work with the same ids, and keeps the same answer. */
async function unlessTakenOver(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}

const inProgress = () =>
  new ProblemError(
    409,
    'idempotency-in-progress',
    'The first request with this Idempotency-Key is still in progress. Try again.',
    {},
    { 'retry-after': '2' },
  );
