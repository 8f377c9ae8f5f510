import { randomUUID } from 'node:crypto';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProblemError } from '../../../shared/http/problem.ts';
import { createIdempotency, type Once } from '../../../shared/store/idempotency.ts';
import { createSeal } from '../../../shared/store/seal.ts';
import { type RealTable, startRealTable } from './real-table.ts';

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
});
afterAll(() => real?.stop());

const caller = { organisation: 'acme', memberId: 'mem_1' };
const now = new Date('2026-11-21T09:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const once = (more: Partial<Once> = {}): Once => ({
  caller,
  key: randomUUID(),
  operation: 'createImage /v1/images?',
  text: '{"a":1}',
  now,
  ...more,
});
const created = (body: string) => ({ statusCode: 201, body });
const idempotency = () => createIdempotency(real.table);

describe('Idempotency-Key', () => {
  it('does the work of twenty requests at once only once', async () => {
    const request = once();
    let worked = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        idempotency().once(request, async (_, newId) => {
          worked++;
          return created(newId('image'));
        }),
      ),
    );
    expect(worked).toBe(1);
    const done = results.filter((one) => one.status === 'fulfilled');
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(new Set(done.map((one) => one.value.result.body)).size).toBe(1);
    for (const one of results)
      if (one.status === 'rejected')
        expect(one.reason).toMatchObject({
          status: 409,
          code: 'idempotency-in-progress',
          headers: { 'retry-after': '2' },
        });
  });

  it('answers a repeat with the first answer', async () => {
    const request = once();
    const first = await idempotency().once(request, async (_, newId) => created(newId('build')));
    const second = await idempotency().once({ ...request, now: later(3600) }, async () => created('again'));
    expect(second).toEqual({ result: first.result, repeated: true });
  });

  it('refuses another body, another operation, and takes both from another member', async () => {
    const request = once();
    await idempotency().once(request, async () => created('one'));
    const refused = { status: 422, code: 'idempotency-key-reused' };
    const work = async () => created('two');
    await expect(idempotency().once({ ...request, text: '{"a":2}' }, work)).rejects.toMatchObject(refused);
    await expect(idempotency().once({ ...request, operation: 'x' }, work)).rejects.toMatchObject(refused);
    const other = await idempotency().once({ ...request, caller: { ...caller, memberId: 'mem_2' } }, work);
    expect(other.repeated).toBe(false);
  });

  it('forgets after 24 hours', async () => {
    const request = once();
    await idempotency().once(request, async () => created('old'));
    const again = await idempotency().once({ ...request, now: later(24 * 3600) }, async () => created('new'));
    expect(again).toMatchObject({ repeated: false, result: { body: 'new' } });
  });

  it('frees the key of a refused request for a corrected one', async () => {
    const request = once();
    await expect(
      idempotency().once(request, async () => {
        throw new ProblemError(422, 'invalid-request', 'no');
      }),
    ).rejects.toThrow('no');
    expect((await idempotency().once({ ...request, text: '{}' }, async () => created('ok'))).repeated).toBe(
      false,
    );
  });

  it('gives whoever takes over from a failed or dead try the same time and ids', async () => {
    const request = once();
    const seen: string[] = [];
    const attempt = (at: Date, fail: boolean) =>
      idempotency().once({ ...request, now: at }, async (time, newId) => {
        seen.push(`${time.toISOString()} ${newId('image')} ${newId('build')}`);
        if (fail) throw new Error('the database is gone');
        return created('done');
      });
    await expect(attempt(now, true)).rejects.toThrow('gone');
    await attempt(later(1), false);
    expect(seen).toHaveLength(2);
    expect(new Set(seen).size).toBe(1);

    const dead = once();
    let idOfTheDead = '';
    void idempotency().once(dead, (_, newId) => {
      idOfTheDead = newId('image');
      return new Promise(() => undefined);
    });
    await expect.poll(() => idOfTheDead).not.toBe('');
    await expect(
      idempotency().once({ ...dead, now: later(30) }, async () => created('x')),
    ).rejects.toMatchObject({
      status: 409,
    });
    const heir = await idempotency().once({ ...dead, now: later(31) }, async (_, newId) =>
      created(newId('image')),
    );
    expect(heir.result.body).toBe(idOfTheDead);
  });

  it('lets only one of many take over from a dead try', async () => {
    const dead = once();
    let begun = false;
    void idempotency().once(dead, () => {
      begun = true;
      return new Promise(() => undefined);
    });
    await expect.poll(() => begun).toBe(true);
    let worked = 0;
    await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        idempotency().once({ ...dead, now: later(40) }, async () => {
          worked++;
          return created('once');
        }),
      ),
    );
    expect(worked).toBe(1);
  });

  it.each(['', 'x'.repeat(129), 'with space', 'umläut'])('refuses the key %j', async (key) => {
    await expect(idempotency().once(once({ key }), async () => created(''))).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('what is kept of secrets', () => {
  const stored = async (key: string) => {
    const { Item } = await real.client.send(
      new GetItemCommand({
        TableName: 'slipway',
        Key: { pk: { S: 'acme#idempotency' }, sk: { S: `mem_1#${key}` } },
      }),
    );
    return JSON.stringify(Item);
  };

  it('R1 a body with a password is remembered by a slow, salted hash', async () => {
    const prints = [];
    for (const key of [randomUUID(), randomUUID()]) {
      const request = once({ key, secret: 'body', text: '{"password":"hunter2"}' });
      await idempotency().once(request, async () => created('made'));
      expect((await idempotency().once(request, async () => created('again'))).repeated).toBe(true);
      await expect(
        idempotency().once({ ...request, text: '{"password":"hunter3"}' }, async () => created('x')),
      ).rejects.toMatchObject({ status: 422 });
      prints.push(JSON.parse(await stored(key)).print.S);
    }
    expect(prints[0]).not.toBe(prints[1]);
  });

  it('O4 an answer with a token is encrypted, and repeated all the same', async () => {
    const seal = createSeal(async () => 'k'.repeat(32), 'test');
    const sealed = createIdempotency(real.table, seal);
    const request = once({ secret: 'answer' });
    const first = await sealed.once(request, async () => created('slp_acme.x.secret-text'));
    expect(await stored(request.key)).not.toContain('secret-text');
    const second = await sealed.once(request, async () => created('another'));
    expect(second).toEqual({ result: first.result, repeated: true });
    await expect(idempotency().once(once({ secret: 'answer' }), async () => created(''))).rejects.toThrow(
      'seal',
    );
  });
});
