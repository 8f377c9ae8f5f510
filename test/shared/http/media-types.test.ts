import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { operation, type RawBody } from '../../../shared/http/operation.ts';
import { parseRequest } from '../../../shared/http/validate.ts';
import { eventOf } from '../../functions/event.ts';

const common = { id: 'make', method: 'POST', path: '/v1/things', role: 'editor' } as const;
const json = operation({ ...common, body: z.strictObject({}) });
const picture = operation({ ...common, body: z.custom<RawBody>(), bodyTypes: ['image/png'] });

const send = (to: typeof json | typeof picture, headers: Record<string, string>, bytes: Buffer) =>
  parseRequest(to, {
    ...eventOf({ method: 'POST', route: '/v1/things', headers }),
    body: bytes.toString('base64'),
    isBase64Encoded: true,
  });
const noText = Buffer.from([0x1f, 0x8b, 0xff, 0]);
const unsupported = (detail: RegExp) =>
  expect.objectContaining({ status: 415, code: 'media-type', message: expect.stringMatching(detail) });

describe('a body that the operation can’t read is 415, whatever is in it', () => {
  it.each(['text/plain', 'image/png', 'application/octet-stream', 'application/gzip', 'application/jsonl'])(
    'type %s',
    (type) => {
      for (const bytes of [noText, Buffer.from('{}')])
        expect(() => send(json, { 'content-type': type }, bytes)).toThrow(
          unsupported(/must be application\/json, not/),
        );
    },
  );

  it.each(['gzip', 'br', 'GZIP', 'identity, gzip', 'x'])('coding %s', (coding) => {
    const headers = { 'content-encoding': coding };
    for (const bytes of [noText, Buffer.from('{}')])
      expect(() => send(json, { ...headers, 'content-type': 'application/json' }, bytes)).toThrow(
        unsupported(/^Omit Content-Encoding: Slipway takes no .* bodies\.$/),
      );
    expect(() => send(picture, { ...headers, 'content-type': 'image/png' }, noText)).toThrow(
      unsupported(/^Omit Content-Encoding/),
    );
  });

  it.each<Record<string, string>>([
    {},
    { 'content-type': 'application/json' },
    { 'content-encoding': 'identity' },
  ])('and what is no text in a body that may be read is 400: %j', (headers) => {
    expect(() => send(json, headers, noText)).toThrow('The body must be UTF-8 text.');
    expect(send(json, headers, Buffer.from('{}')).body).toEqual({});
  });
});
