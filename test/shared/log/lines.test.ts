/** What becomes of lines, and where they lie. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkKey } from '../../../shared/log/chunks.ts';
import type { Chunk } from '../../../shared/log/tail.ts';
import { ask, type LogPlace, logPlace, long, texts } from './place.ts';

let place: LogPlace;
beforeAll(async () => {
  place = await logPlace();
});
afterAll(() => place.close());

describe('B3 lines of all kinds', () => {
  test('empty lines, carriage returns, several lines in one event, halves of characters, a line above 64 KiB', async () => {
    const job = place.newJob({ ended: true });
    const long = `${'é'.repeat(40_000)}${'😀'.repeat(40_000)}`;
    place.append(
      job.stream,
      'a\n\nb\n',
      '\n',
      '10%\r50%\r100%\r',
      'crlf\r\n',
      `half \ud83d`,
      long,
      'the end\n',
    );
    const lines = texts(await place.read(ask, () => job));
    expect(lines.slice(0, 6)).toEqual(['a', '', 'b', '', '100%', 'crlf']);
    expect(lines[6]).toMatch(/^half [\ufffd?]+$/);
    expect(lines.slice(7).join('')).toBe(long);
    expect(lines.slice(7).every((line) => line.length <= 65_536 && line.isWellFormed())).toBe(true);
  });

  test.each<[string, string]>([
    ['of 300,000 characters', 'x'.repeat(300_000)],
    ['of characters of two units, at an odd place', `x${'😀'.repeat(150_000)}`],
    ['as long as an event may be', 'x'.repeat(262_118)],
    ['that ends within a character of an event', `${'x'.repeat(262_117)}é${'y'.repeat(10)}`],
  ])('E14 a line %s is whole, live and kept, on whatever pages', async (_, line) => {
    const job = place.newJob();
    place.append(job.stream, 'before\n', `${line}\n`);
    const live = (await place.read({ ...ask, wait: 1 }, () => job)).items.map(({ text }) => text);
    place.append(job.stream, 'the end');
    const ended = { ...job, ended: true };
    for (const limit of [1, 3, 200]) {
      const kept = await place.follow(() => ended, limit);
      expect(kept[0]).toBe('before');
      expect(kept.slice(1).join('') === line).toBe(true);
      expect(kept.every((text) => text !== '')).toBe(true);
      expect(kept.slice(0, live.length)).toEqual(live);
    }
  });

  test('more than fits into one answer comes in several, none missing', async () => {
    const job = place.newJob({ ended: true });
    const wanted = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(50_000)}`);
    for (let at = 0; at < 60; at += 10) place.append(job.stream, ...wanted.slice(at, at + 10));
    place.append(job.stream, 'the end');
    let largest = 0;
    const lines: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await place.read({ ...ask, wait: 1, limit: 1000, cursor }, () => job);
      largest = Math.max(largest, JSON.stringify(page).length);
      lines.push(...texts(page));
      if (page.complete) break;
      cursor = page.nextCursor;
    }
    expect(lines).toEqual(wanted);
    expect(largest).toBeLessThan(1_000_000);
    // Full objects are left alone; only the last one is rewritten.
    const { chunks } = (await place.table.get('acme', 'logs', job.id)) as { chunks: number[][] };
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.map(([first, last]) => [first, last])).toEqual(
      chunks.map((chunk, i) => [(chunks[i - 1]?.[1] ?? -1) + 1, chunk[1]]),
    );
  });
});

describe('B3 where lines lie', () => {
  test('short news lie beside the index, older lines in objects, and pages go across both', async () => {
    const job = place.newJob();
    const wanted: string[] = [];
    for (let i = 0; i < 30; i++) {
      wanted.push(`${i} ${'x'.repeat(500)}`);
      place.append(job.stream, wanted.at(-1) ?? '');
      await place.logs.drain(job);
    }
    const { chunks, recent, lines } = (await place.table.get('acme', 'logs', job.id)) as {
      chunks: number[][];
      recent: string[];
      lines: number;
    };
    expect(lines).toBe(30);
    expect(recent.length).toBeGreaterThan(0);
    expect(recent.length).toBeLessThan(30);
    expect((chunks.at(-1)?.[1] ?? -1) + 1 + recent.length).toBe(30);
    place.append(job.stream, 'the end');
    expect(await place.follow(() => ({ ...job, ended: true }), 7)).toEqual(wanted);
    expect((await place.logs.last('acme', job.id, 29)).map(({ text }) => text)).toEqual(wanted.slice(1));
  });

  test('a log whose objects were deleted with age answers what is left, and ends', async () => {
    const job = place.newJob({ ended: true });
    place.append(job.stream, long('one'), long('two'));
    await place.logs.drain(job);
    place.append(job.stream, 'three', 'the end');
    expect(await place.logs.drain(job)).toBe(true);
    const { chunks } = (await place.table.get('acme', 'logs', job.id)) as { chunks: Chunk[] };
    for (const chunk of chunks) await place.artifacts.remove(chunkKey('acme', job.id, chunk));
    expect(await place.follow(() => job)).toEqual(['three']);
  });

  test('E14 what is removed is gone', async () => {
    const job = place.newJob({ ended: true });
    place.append(job.stream, 'x', 'the end');
    expect(await place.logs.drain(job)).toBe(true);
    await place.logs.remove('acme', job.id);
    expect(await place.table.get('acme', 'logs', job.id)).toBeUndefined();
    expect(await place.logs.last('acme', job.id, 5)).toEqual([]);
  });
});
