import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { operation, type RawBody } from '../../../shared/http/operation.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { parseRequest } from '../../../shared/http/validate.ts';
import { followQuery, listQuery, numberParameter, sortBy } from '../../../shared/model/common.ts';
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
    retry: z
      .union([
        z.strictObject({ git: z.strictObject({ url: z.string() }) }),
        z.strictObject({ id: z.string() }),
      ])
      .optional(),
    env: z.record(z.string().regex(/^[A-Z]+$/, 'must have capital letters only'), z.string()).optional(),
  }),
});

function errorsOf(body: unknown) {
  try {
    parseRequest(shape, eventOf({ method: 'POST', route: '/v1/things', body }));
    return [];
  } catch (error) {
    if (error instanceof ProblemError) return error.extra.errors ?? [];
    throw error;
  }
}

const build = { type: 'build', dockerfile: 'FROM x' };

describe('validation', () => {
  it('looks into the branch of a union that was meant', () => {
    expect(errorsOf({ source: { type: 'build' } })).toEqual([
      { pointer: '/source/dockerfile', message: 'is required' },
    ]);
    expect(errorsOf({ source: { type: 'other' } })).toMatchObject([{ pointer: '/source/type' }]);
    expect(errorsOf({ source: build, retry: { git: {} } })).toEqual([
      { pointer: '/retry/git/url', message: 'is required' },
    ]);
  });

  it('gives each unknown field an error of its own, in a branch of a union too', () => {
    expect(errorsOf({ source: { ...build, dockerFile: 'FROM x', tga: '1' }, img: 'x' })).toEqual([
      {
        pointer: '/source/dockerFile',
        message: 'There is no field `dockerFile`. Did you mean `dockerfile`?',
      },
      {
        pointer: '/source/tga',
        message: 'There is no field `tga`. The fields are `type`, `dockerfile`.',
      },
      {
        pointer: '/img',
        message: 'There is no field `img`. The fields are `source`, `retry`, `env`.',
      },
    ]);
  });

  it('names the key of a map that is wrong', () => {
    expect(errorsOf({ source: build, env: { lower: 'x' } })).toEqual([
      { pointer: '/env/lower', message: 'its name must have capital letters only' },
    ]);
  });

  it.each([
    [{ source: { type: 'build', dockerfile: 'FROM x \ud800' } }, '/source/dockerfile'],
    [{ source: build, env: { A: 'b\udc00' } }, '/env/A'],
  ])('refuses text with half a surrogate pair: %#', (body, pointer) => {
    expect(errorsOf(body)).toContainEqual({ pointer, message: 'must not contain half of a surrogate pair' });
    expect(errorsOf({ source: { ...build, dockerfile: '\u{1f600}' } })).toEqual([]);
  });

  it('takes an empty object where there is no body, and nothing else', () => {
    const bodiless = operation(common);
    const send = (body?: unknown) =>
      parseRequest(bodiless, eventOf({ method: 'POST', route: '/v1/things', body })).body;
    for (const body of [undefined, {}, ' {} ']) expect(send(body)).toBeUndefined();
    for (const body of [{ force: true }, [], 'null', '0', '{'])
      expect(() => send(body)).toThrow(ProblemError);
  });

  it('survives any depth', () => {
    const body = `${'{"source":'.repeat(19_000)}1${'}'.repeat(19_000)}`;
    expect(errorsOf(body)).toMatchObject([{ pointer: '/source/type' }]);
  });

  it('decodes base64 bodies, and refuses what is not UTF-8', () => {
    const event = (bytes: Buffer) => ({
      ...eventOf({ method: 'POST', route: '/v1/things', body: '' }),
      body: bytes.toString('base64'),
      isBase64Encoded: true,
    });
    const good = parseRequest(shape, event(Buffer.from(JSON.stringify({ source: build }))));
    expect(good.body).toEqual({ source: build });
    expect(() => parseRequest(shape, event(Buffer.from([0xff, 0xfe])))).toThrow('UTF-8');
  });

  it('says what is wrong with JSON without quoting it: there may be a password in it', () => {
    const refusal = (body: string) => {
      try {
        parseRequest(shape, eventOf({ method: 'POST', route: '/v1/things', body }));
      } catch (error) {
        if (error instanceof ProblemError) return { code: error.code, message: error.message };
      }
      throw new Error('it was taken');
    };
    const password = `hunter2${'x'.repeat(200)}`;
    for (const secret of ['hunter2', password])
      for (const body of [
        `{"password":${secret}}`,
        `{"username":"u","password":"${secret}", }`,
        `{"password":"${secret}"`,
        `{"password":"${secret}`,
        `{"a":1}"${secret}"`,
        `{"password":"${secret}" 'a'}`,
        `{"a":["${secret}", hunter2]}`,
        secret,
      ]) {
        const { code, message } = refusal(body);
        expect(code).toBe('malformed-json');
        expect(message).toMatch(/^The body must be JSON: \w.{10}/);
        expect(message).not.toContain('unter2');
      }
  });

  it('takes JSON behind a byte order mark', () => {
    const body = `\ufeff${JSON.stringify({ source: build })}`;
    expect(parseRequest(shape, eventOf({ method: 'POST', route: '/v1/things', body })).body).toEqual({
      source: build,
    });
  });

  it('gives a body that is not JSON as it was sent, as text or as base64', () => {
    const upload = operation({
      ...common,
      id: 'uploadThing',
      body: z.custom<RawBody>(),
      bodyTypes: ['image/png', 'image/svg+xml'],
    });
    const send = (type: string | undefined, body: string | Buffer) =>
      parseRequest(upload, {
        ...eventOf({ method: 'POST', route: '/v1/things', headers: type ? { 'content-type': type } : {} }),
        body: typeof body === 'string' ? body : body.toString('base64'),
        isBase64Encoded: typeof body !== 'string',
      }).body;
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0]);
    expect(send('image/png', bytes)).toEqual({ type: 'image/png', bytes });
    expect(send('Image/SVG+XML; charset=utf-8', '<é/>')).toEqual({
      type: 'image/svg+xml',
      bytes: Buffer.from('<é/>'),
    });
    for (const type of ['image/gif', 'application/json', undefined])
      expect(() => send(type, bytes)).toThrow('image/png or image/svg+xml');
  });

  it('answers any JSON at all with its value or a list of pointers into it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const { pointer, message } of errorsOf(body)) {
          expect(message).not.toBe('');
          expect(pointer === '' || pointer.startsWith('/')).toBe(true);
        }
      }),
    );
  });
});

describe('numbers', () => {
  const list = operation({
    id: 'listThings',
    method: 'GET',
    path: '/v1/things',
    role: 'viewer',
    query: z.strictObject({
      ...listQuery(sortBy('ThingOrder', ['createdAt'])),
      wait: followQuery.wait,
      attempt: numberParameter(z.int().min(1)).optional(),
    }),
  });
  const ask = (query: string) =>
    parseRequest(list, { ...eventOf({ method: 'GET', route: '/v1/things' }), rawQueryString: query }).query;
  const wrong = (query: string) => {
    try {
      return ask(query);
    } catch (error) {
      return error instanceof ProblemError ? error.extra.errors : error;
    }
  };

  it('are read from parameters', () => {
    expect(ask('limit=7&wait=0.5&attempt=2')).toMatchObject({ limit: 7, wait: 0.5, attempt: 2 });
    expect(ask('')).toEqual({ limit: 50, wait: 0, sort: '-createdAt' });
    expect(ask('limit=007')).toMatchObject({ limit: 7 });
  });

  it.each([
    ['limit=', '?limit', 'must be a number'],
    ['wait=', '?wait', 'must be a number'],
    ['limit=%20', '?limit', 'must be a number'],
    ['limit=%205', '?limit', 'must be a number'],
    ['limit=0x10', '?limit', 'must be a number'],
    ['limit=1e1', '?limit', 'must be a number'],
    ['wait=Infinity', '?wait', 'must be a number'],
    ['limit=%2B5', '?limit', 'must be a number'],
    ['limit=1,5', '?limit', 'must be a number'],
    ['limit=1_0', '?limit', 'must be a number'],
    ['limit=1.5', '?limit', 'must be a whole number'],
    ['limit=0', '?limit', 'must be at least 1'],
    ['limit=-1', '?limit', 'must be at least 1'],
    ['wait=25.1', '?wait', 'must be at most 25'],
    ['limit=99999999999999999999', '?limit', 'must be at most 100'],
    ['limit=-99999999999999999999', '?limit', 'must be at least 1'],
    [`limit=${'9'.repeat(400)}`, '?limit', 'must be a number'],
    ['attempt=99999999999999999999', '?attempt', 'must be at most 9007199254740991'],
  ])('in parameters: %s', (query, pointer, message) => {
    expect(wrong(query)).toEqual([{ pointer, message }]);
  });

  it('far out of range are told once, in a branch of a union too', () => {
    const body = z.strictObject({
      seconds: z.int().min(60).max(100),
      way: z.union([z.strictObject({ a: z.int().max(3) }), z.strictObject({ b: z.string() })]),
    });
    const take = operation({ ...common, body });
    const sent = eventOf({
      method: 'POST',
      route: '/v1/things',
      body: { seconds: -1e300, way: { a: 1e300 } },
    });
    expect(() => parseRequest(take, sent)).toThrow(
      '/seconds: must be at least 60; /way/a: must be at most 3',
    );
  });
});
