/** B4: the page that a build's mail links to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPage, buildPageOf } from '../../../functions/summaries/build-page.ts';
import { closeBuild } from '../../../shared/build/close.ts';
import { newPageKey, opensPage, pageDays } from '../../../shared/build/page-link.ts';
import type { BuildRecord } from '../../../shared/build/record.ts';
import { buildPlace, failed, organisation, type Place } from '../../shared/build/place.ts';
import { requireHarmless } from './harmless.ts';

const now = new Date();

describe('a key', () => {
  const { key, hash } = newPageKey();
  const finishedAt = now.toISOString();
  const later = (days: number) => new Date(now.getTime() + days * 24 * 3600 * 1000);

  test('opens its own build, and as long as links are good', () => {
    expect(opensPage({ pageKeyHash: hash, finishedAt }, key, now)).toBe(true);
    expect(opensPage({ pageKeyHash: hash, finishedAt }, key, later(pageDays - 1))).toBe(true);
    expect(opensPage({ pageKeyHash: hash, finishedAt }, key, later(pageDays))).toBe(false);
    expect(opensPage({ pageKeyHash: newPageKey().hash, finishedAt }, key, now)).toBe(false);
  });

  test.each(['', 'k', key.slice(1), `${key}A`, key.toLowerCase()])('%j opens nothing', (other) => {
    expect(opensPage({ pageKeyHash: hash, finishedAt }, other, now)).toBe(other === key);
  });

  test('opens nothing before the build has ended, or where no mail was sent', () => {
    expect(opensPage({ pageKeyHash: hash }, key, now)).toBe(false);
    expect(opensPage({ finishedAt }, key, now)).toBe(false);
  });
});

describe('the link of a mail', () => {
  let place: Place;
  let link: URL;
  let id: string;
  beforeAll(async () => {
    place = await buildPlace(
      { build: { commands: ['echo "a <b>line</b>"', 'echo "[slipway] end of log"'] } },
      [100, 100],
    );
    ({ buildId: id } = await place.build());
    await place.result(id, failed);
    await place.over(id);
    await closeBuild(place.dependencies, organisation, id);
    const mail = place.mails().find((one) => one.includes(id)) ?? '';
    const plain = mail.replace(/=\r?\n/g, '').replaceAll('=3D', '=');
    link = new URL(/^Log: (\S+)/m.exec(plain)?.[1] ?? '');
  });
  afterAll(() => place.close());

  const open = (asked: { organisation?: string; id?: string; key?: string }) =>
    buildPage(
      { table: place.table, artifacts: place.dependencies.artifacts },
      { organisation, id, key: link.searchParams.get('key') ?? '', ...asked },
      now,
    );

  test('names the page, the organisation and the key', () => {
    expect(link.pathname).toBe(`/v1/builds/${id}/page`);
    expect(link.searchParams.get('organisation')).toBe(organisation);
    expect(link.searchParams.get('key')).toMatch(/^[\w-]{43}$/);
  });

  test('opens the build with its failure and its log', async () => {
    const page = await open({});
    expect(page).toContain(id);
    expect(page).toContain('failed');
    expect(page).toContain('a &lt;b&gt;line&lt;/b&gt;');
    requireHarmless(page ?? '');
  });

  test.each([{ key: '' }, { key: newPageKey().key }, { id: 'bld_other' }, { organisation: 'globex' }])(
    'opens nothing else: %j',
    async (other) => {
      expect(await open(other)).toBeUndefined();
    },
  );

  test('keeps the key itself out of the table', async () => {
    const record = await place.table.get(organisation, 'builds', id);
    expect(JSON.stringify(record)).not.toContain(link.searchParams.get('key'));
  });
});

describe('a log', () => {
  const build = { id: 'bld_1', kind: 'build', status: 'failed', uri: 'r.example/a:1' } as BuildRecord;
  const line = (text: string) => ({ time: now.toISOString(), stream: 'output' as const, text });
  const many = (count: number, text: string) =>
    Array.from({ length: count }, (_, i) => line(`line ${i} ${text}`));
  const lastLines = 'These are the last lines';

  test.each([
    ['of many lines', 1000, 'x'.repeat(2000), 'line 1 '],
    ['of few but long ones', 100, 'x'.repeat(16_000), 'line 1 '],
    ['of nothing but quotation marks', 100, '"'.repeat(16_000), 'line 1 '],
    ['of as many lines as were asked for', 1000, 'x', undefined],
  ])('%s is shown by its last lines, and says so', (_, count, text, missing) => {
    const page = buildPageOf(build, many(count, text), now);
    expect(page).toContain(`line ${count - 1} `);
    expect(page).toContain(lastLines);
    if (missing !== undefined) expect(page).not.toContain(missing);
    // With room for what a function's answer adds to it.
    expect(Buffer.byteLength(page)).toBeLessThan(5_500_000);
  });

  test('that is short is shown whole', () => {
    const page = buildPageOf(build, many(999, 'x'), now);
    expect(page).toContain('line 0 x');
    expect(page).not.toContain(lastLines);
  });
});
