import { describe, expect, it } from 'vitest';
import { ada } from '../event.ts';
import { all, experimentsApi } from './api.ts';

const { place, tiny, ask, create, store } = experimentsApi();

describe('E1 creating', () => {
  it('stores, with defaults from the stage', async () => {
    const { status, headers, body } = await store({ command: ['true'] });
    expect([status, headers.location, headers.etag]).toEqual([201, `/v1/experiments/${body.id}`, '"1"']);
    expect(body).toMatchObject({
      name: body.id,
      status: 'created',
      image: { requested: tiny() },
      compute: 'cpu-small',
      entrypoint: 'replace',
      env: {},
      tags: [],
      timeoutSeconds: 86_400,
      retry: { attempts: 1, on: ['no-capacity', 'host-lost'] },
      attempts: [],
      author: 'ada@acme.example',
    });
    for (const hidden of [
      'pk',
      'sk',
      'version',
      'eventCount',
      'statusKey',
      'openKey',
      'dueAt',
      'lastEventAt',
    ])
      expect(body).not.toHaveProperty(hidden);
    const spot = await store({ compute: 'spot-first' });
    expect(spot.body.retry.attempts).toBe(2);
  });

  it('starts at once, and once for a repeated Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'again' };
    const body = { image: tiny(), command: ['true'] };
    const first = await create(body, undefined, headers);
    const second = await create(body, undefined, headers);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).toBe(first.body.id);
    expect((await place().over(first.body.id)).attempts).toHaveLength(1);
    expect((await create({ ...body, name: 'another' }, undefined, headers)).status).toBe(422);
  });

  it.each([
    ['/compute', { compute: 'quantum' }],
    ['/command', { command: 'python train.py' }],
    ['/command', { command: [] }],
    ['/command', { command: [''] }],
    ['/command/0', { command: ['a\0b'] }],
    ['/env/SLIPWAY_JOB_ID', { env: { SLIPWAY_JOB_ID: 'x' } }],
    ['/env/AWS_BATCH_X', { env: { AWS_BATCH_X: 'x' } }],
    ['/env/not-a-name', { env: { 'not-a-name': 'x' } }],
    ['/command', { env: { A: 'x'.repeat(8000), B: 'x'.repeat(8000), C: 'x'.repeat(8000) } }],
    ['/tags', { tags: ['a', 'a'] }],
    ['/timeoutSeconds', { timeoutSeconds: 59 }],
    ['/retry/attempts', { retry: { attempts: 11 } }],
    ['/retry/on/0', { retry: { attempts: 2, on: ['whenever'] } }],
    ['/entrypoint', { entrypoint: 'drop' }],
    ['/secrets', { secrets: { A: 'b' } }],
    ['/source', { source: { uploadId: 'upl_1' } }],
    ['/steps', { steps: [] }],
    ['/override', { override: true }],
  ])('refuses a wrong %s, and stores nothing', async (pointer, wrong) => {
    const before = await ask('GET', all);
    const { status, body } = await create({ image: tiny(), ...wrong });
    expect(status).toBe(422);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    if (pointer === '/compute') expect(body.errors[0].message).toContain('cpu-small');
    expect((await ask('GET', all)).body).toEqual(before.body);
  });

  it('is for editors', async () => {
    const viewer = { ...ada, role: 'viewer' as const };
    const { status } = await ask('POST', all, { body: { image: tiny() }, caller: viewer });
    expect(status).toBe(403);
    expect((await ask('GET', all, { caller: viewer })).status).toBe(200);
  });
});
