/** What an experiment tells while it runs: its timeline and its log. */
import { describe, expect, it } from 'vitest';
import { experimentsApi, one } from './api.ts';

const { place, tiny, ask, create, store } = experimentsApi();

describe('E24 the timeline', () => {
  it('is read from a cursor, and an answer waits for news', async () => {
    const { body } = await store({ command: ['true'] });
    const params = { id: body.id };
    const first = await ask('GET', `${one}/events`, { params });
    expect(first.body).toMatchObject({ items: [{ seq: 0, code: 'created' }], complete: false });
    const { nextCursor: cursor } = first.body;
    const waiting = ask('GET', `${one}/events`, { params, query: { cursor, wait: '10' } });
    await ask('POST', `${one}/start`, { params });
    expect((await waiting).body.items[0]).toMatchObject({ seq: 1, code: 'pending' });
    await place().over(body.id);
    const rest = await ask('GET', `${one}/events`, { params, query: { cursor } });
    expect(rest.body.complete).toBe(true);
    expect(rest.body).not.toHaveProperty('nextCursor');
    expect(rest.body.items.map((event: { seq: number }) => event.seq)).toEqual(
      rest.body.items.map((_: unknown, i: number) => i + 1),
    );
    const other = await store({});
    const wrong = await ask('GET', `${one}/events`, { params: { id: other.body.id }, query: { cursor } });
    expect(wrong.status).toBe(422);
  });
});

describe('E14 the log', () => {
  it('is followed over attempts to its end, and read by lines of an attempt', async () => {
    const { body } = await create({
      image: tiny(),
      command: [
        'sh',
        '-c',
        'for i in 1 2 3; do echo "$SLIPWAY_JOB_ATTEMPT.$i"; done; exit $((2 - SLIPWAY_JOB_ATTEMPT))',
      ],
      retry: { attempts: 2, on: ['error'] },
    });
    const params = { id: body.id };
    const followed: { text: string; attempt: number }[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await ask('GET', `${one}/logs`, {
        params,
        query: { wait: '10', ...(cursor ? { cursor } : {}) },
      });
      followed.push(...page.body.items);
      if (page.body.complete) break;
      cursor = page.body.nextCursor;
    }
    expect(followed.map(({ text, attempt }) => [text, attempt])).toEqual([
      ['1.1', 1],
      ['1.2', 1],
      ['1.3', 1],
      ['2.1', 2],
      ['2.2', 2],
      ['2.3', 2],
    ]);
    const read = async (query: Record<string, string>): Promise<{ texts: string[]; nextCursor?: string }> => {
      const { status, body: page } = await ask('GET', `${one}/logs`, { params, query });
      expect(status, JSON.stringify(page)).toBe(200);
      expect(page.complete).toBe(page.nextCursor === undefined);
      return { texts: page.items.map(({ text }: { text: string }) => text), nextCursor: page.nextCursor };
    };
    // Complete: nothing is behind these lines.
    expect(await read({ from: '2', to: '3' })).toEqual({ texts: ['2.2', '2.3'] });
    expect(await read({ from: '2', to: '9', attempt: '1' })).toEqual({ texts: ['1.2', '1.3'] });
    expect(await read({ attempt: '3' })).toEqual({ texts: [] });
    expect((await read({ to: '1' })).texts).toEqual(['2.1']);
    // A page of one attempt goes on to its end, and no further.
    const first = await read({ attempt: '1', limit: '1' });
    expect(first).toEqual({ texts: ['1.1'], nextCursor: expect.any(String) });
    const cursor = first.nextCursor ?? '';
    const second = await read({ cursor, limit: '1' });
    expect(second).toEqual({ texts: ['1.2'], nextCursor: expect.any(String) });
    expect(await read({ cursor: second.nextCursor ?? '' })).toEqual({ texts: ['1.3'] });
    expect(await read({ cursor, attempt: '1' })).toEqual({ texts: ['1.2', '1.3'] });
    const whole = (await read({ limit: '1' })).nextCursor ?? '';
    const wrong: Record<string, string>[] = [
      { from: '3', to: '2' },
      { from: '1', to: '2000' },
      { from: '1', cursor: 'x' },
      { from: '1', cursor },
      { from: '0' },
      { to: '3', limit: '2' },
      // Nothing that is asked for is passed over.
      { attempt: '1', wait: '20' },
      { from: '1', wait: '20' },
      { cursor, wait: '20' },
      { cursor, attempt: '2' },
      { cursor: whole, attempt: '1' },
    ];
    for (const query of wrong)
      expect((await ask('GET', `${one}/logs`, { params, query })).status, JSON.stringify(query)).toBe(422);
  });
});
