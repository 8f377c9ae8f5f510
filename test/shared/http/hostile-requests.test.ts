/** Requests that are made to be misread, or to cost more to refuse than they are worth. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Operation, operation, type RawBody } from '../../../shared/http/operation.ts';
import { invalid, ProblemError, problemDocument } from '../../../shared/http/problem.ts';
import { parseRequest } from '../../../shared/http/validate.ts';
import { eventOf } from '../../functions/event.ts';

const common = {
  id: 'make',
  method: 'POST',
  path: '/v1/things',
  role: 'editor',
} as const;

const shape = operation({
  ...common,
  body: z.strictObject({
    source: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('build'), dockerfile: z.string() }),
      z.strictObject({ type: z.literal('reference'), url: z.string() }),
    ]),
    env: z.record(z.string().regex(/^[A-Z]+$/, 'capital letters'), z.string()).optional(),
  }),
});

const build = { type: 'build', dockerfile: 'FROM x' };

/** What `declared` answers to `event`, as callers see it. */
function refusalOf(declared: Operation, event: ReturnType<typeof eventOf>) {
  try {
    parseRequest(declared, event);
  } catch (error) {
    if (error instanceof ProblemError) return problemDocument(error, 'req-1');
    throw error;
  }
  throw new Error('it was taken');
}

const post = (body: unknown) => eventOf({ method: 'POST', route: '/v1/things', body });
const withQuery = (rawQueryString: string) => ({
  ...eventOf({ method: 'GET', route: '/v1/things' }),
  rawQueryString,
});
const many = <T>(count: number, one: (i: number) => T) => Array.from({ length: count }, (_, i) => one(i));
const named = (count: number, name: (i: number) => string, value: unknown = 'x') =>
  Object.fromEntries(many(count, (i) => [name(i), value]));
const filtered = operation({
  ...common,
  method: 'GET',
  query: z.strictObject({ tag: z.string().optional(), q: z.string().optional() }),
});

describe('what is refused is told in few words, however much of it there is', () => {
  const deep = (count: number) => `${'{"source":'.repeat(count)}1${'}'.repeat(count)}`;
  it.each([
    ['unknown names', post(named(900, (i) => `unknown${i}`))],
    ['unknown names without end', post(named(300_000, (i) => `k${i}`))],
    ['bad names of a map', post({ source: build, env: named(80_000, (i) => `bad${i}`) })],
    ['bad names of a map, not quite too many', post({ source: build, env: named(15_000, (i) => `bad${i}`) })],
    [
      'bad values of a map',
      post({ source: build, env: named(15_000, (i) => `A${'B'.repeat(i % 9)}${i}`, 1) }),
    ],
    ['one long name', post({ source: build, ['x'.repeat(1_000_000)]: 1 })],
    ['one long name in a map', post({ source: build, env: { ['x'.repeat(1_000_000)]: 1 } })],
    ['a long list', post(many(200_000, () => 1))],
    ['half characters', post({ source: build, env: named(15_000, (i) => `A${i}`, '\ud800') })],
    ['depth', post(deep(50_000))],
    ['unknown names in a branch', post({ source: { ...build, ...named(9000, (i) => `x${i}`) } })],
  ])('%s', (_, event) => {
    const seen = refusalOf(shape, event);
    expect(seen.status).toBe(422);
    expect((seen.errors ?? []).length).toBeLessThanOrEqual(50);
    expect(Buffer.byteLength(seen.detail)).toBeLessThanOrEqual(2048);
    expect(JSON.stringify(seen).length).toBeLessThan(40_000);
  });

  it.each([
    ['parameters', many(1500, (i) => `p${i}=1`).join('&')],
    ['parameters of one name', many(5000, () => 'tag=a').join('&')],
    ['a name', `${'x'.repeat(9000)}=1`],
  ])('%s of a query', (_, query) => {
    const seen = refusalOf(filtered, withQuery(query));
    expect(seen.status).toBe(422);
    expect((seen.errors ?? []).length).toBeLessThanOrEqual(50);
    expect(JSON.stringify(seen).length).toBeLessThan(40_000);
  });

  it('says how many there are that it does not tell', () => {
    const seen = refusalOf(shape, post({ source: build, env: named(200, (i) => `bad${i}`) }));
    expect(seen.errors).toHaveLength(50);
    expect(seen.detail).toMatch(/^\/env\/bad0: /);
    expect(
      problemDocument(invalid(...many(300, (i) => ({ pointer: `/${i}`, message: 'x'.repeat(50) }))), '')
        .detail,
    ).toMatch(/; and \d+ more$/);
  });
});

describe('a query', () => {
  const refused = (query: string) => refusalOf(filtered, withQuery(query)).errors;
  it.each([
    ['tag=a&tag=b', '?tag'],
    ['tag=a&tag=a', '?tag'],
    ['q=a&tag=c&q=b', '?q'],
    ['tag=&tag=', '?tag'],
    ['t%61g=a&tag=b', '?tag'],
    ['__proto__=x', '?__proto__'],
    ['__proto__=x&__proto__=y', '?__proto__'],
    ['q=%ff', '?'],
    ['q=%c3%28', '?'],
    ['q=%zz', '?'],
    ['q=%ED%A0%80', '?'],
  ])('%s is refused', (query, pointer) => {
    expect(refused(query)).toContainEqual({ pointer, message: expect.any(String) });
  });

  it('is read as it was sent: a comma separates nothing', () => {
    const read = (query: string) => parseRequest(filtered, withQuery(query)).query;
    expect(read('tag=a,b&q=%C3%A9+%26')).toEqual({ tag: 'a,b', q: 'é &' });
    expect(read('')).toEqual({});
  });

  it('has no parameters where none are declared, whatever they are called', () => {
    for (const query of ['a=1', 'constructor=1', '__proto__=1', '=1'])
      expect(refusalOf(operation({ ...common, method: 'GET' }), withQuery(query)).status).toBe(422);
  });
});

describe('a body', () => {
  it.each([
    ['{"__proto__": {"a": 1}}', '/__proto__'],
    ['{"source": {"type": "build", "dockerfile": "x", "__proto__": null}}', '/source/__proto__'],
    ['{"source": {"type": "build", "dockerfile": "x"}, "env": {"__proto__": "x"}}', '/env/__proto__'],
    ['{"source": {"type": "build", "dockerfile": "x"}, "env": {"__pr\\u006fto__": "x"}}', '/env/__proto__'],
  ])('has no name that objects do not hand on: %s', (body, pointer) => {
    expect(refusalOf(shape, post(body)).errors).toContainEqual({
      pointer,
      message: 'is a reserved name',
    });
  });

  it('is UTF-8, whichever way the gateway sends it', () => {
    const text = JSON.stringify({ source: { ...build, dockerfile: 'FROM \u00ff' } });
    const bytes = Buffer.from(text, 'latin1');
    const asText = post(bytes.toString('utf8'));
    const asBytes = { ...post(''), body: bytes.toString('base64'), isBase64Encoded: true };
    for (const event of [asText, asBytes])
      expect(refusalOf(shape, event)).toMatchObject({ status: 400, detail: 'The body must be UTF-8 text.' });
    const meant = '{"source": {"type": "build", "dockerfile": "\\ufffd"}}';
    expect(parseRequest(shape, post(meant)).body).toEqual({ source: { ...build, dockerfile: '\ufffd' } });
  });

  it.each([
    ['application/json', undefined],
    ['application/json', ''],
    ['', undefined],
  ])('is refused where it is missing (%j, %j), whatever the schema would take', (type, body) => {
    const lenient = operation({ ...common, body: z.strictObject({ a: z.string().optional() }) });
    const event = { ...post(body), headers: { 'content-type': type } };
    expect(refusalOf(lenient, event as typeof event & { body: string }).errors).toEqual([
      { pointer: '', message: 'The body is required.' },
    ]);
    const optional = operation({
      ...common,
      body: z.strictObject({ a: z.string().default('b') }),
      bodyIsOptional: true,
    });
    expect(parseRequest(optional, event as typeof event & { body: string }).body).toEqual({ a: 'b' });
    const raw = operation({ ...common, body: z.custom<RawBody>(), bodyTypes: ['image/png'] });
    expect(refusalOf(raw, event as typeof event & { body: string }).status).toBe(422);
  });
});
