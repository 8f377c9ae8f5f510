import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type DeclaredOperation, openApiDocument } from '../../scripts/openapi/document.ts';
import { type Documentation, type Operation, operation } from '../../shared/http/operation.ts';

const thing = z.lazy(() => z.object({ id: z.string() }).meta({ id: 'Thing' }));
const params = z.object({ id: z.string() });
const documentation = (responses: Documentation['responses']) => () => ({
  tag: 'Images',
  example: { id: 'one' },
  summary: 'x',
  responses,
});
const get = operation({
  id: 'getThing',
  method: 'GET',
  path: '/v1/things/{id}',
  role: 'viewer',
  params,
  documentation: documentation({ 200: { description: 'It', schema: thing, headers: ['ETag'] } }),
  problems: [404],
});
const list = operation({
  id: 'listThings',
  method: 'GET',
  path: '/v1/things',
  role: 'viewer',
  query: z.lazy(() => z.strictObject({ limit: z.coerce.number().int().default(50) })),
  documentation: documentation({ 200: { description: 'All', schema: z.array(thing) } }),
});
const create = operation({
  id: 'createThing',
  method: 'POST',
  path: '/v1/things',
  role: 'editor',
  body: thing,
  documentation: documentation({ 201: { description: 'Made', schema: thing, headers: ['Location'] } }),
});
const remove = operation({
  id: 'removeThing',
  method: 'DELETE',
  path: '/v1/things/{id}',
  role: 'admin',
  params,
  documentation: documentation({ 204: { description: 'Gone' } }),
  problems: [404, 412],
});
const open = operation({
  id: 'getOpen',
  method: 'GET',
  path: '/v1/open',
  role: 'public',
  documentation: documentation({ 200: { description: 'ok' } }),
});

const declare = (...operations: Operation[]): DeclaredOperation[] =>
  operations.map((one) => ({ folder: 'things', operation: one as Operation }));
const document = openApiDocument(declare(get, list, create, remove, open) as DeclaredOperation[]);
// biome-ignore lint/suspicious/noExplicitAny: a JSON document
const json: any = JSON.parse(JSON.stringify(document));
const at = (path: string, method: string) => json.paths[path][method];

describe('the OpenAPI document', () => {
  it('names the function and the role of every operation, and leaves security off the public ones', () => {
    expect(at('/v1/things', 'post')).toMatchObject({
      operationId: 'createThing',
      'x-slipway-function': 'things',
      description: 'Requires the role editor.',
    });
    expect(at('/v1/things', 'post')).not.toHaveProperty('security');
    expect(json.security).toEqual([{ bearer: [] }]);
    expect(at('/v1/open', 'get').security).toEqual([]);
  });

  it('lists every status that can be answered, the gateway’s own among them', () => {
    expect(Object.keys(at('/v1/things', 'post').responses)).toEqual([
      '201',
      '400',
      '401',
      '403',
      '409',
      '413',
      '415',
      '422',
      '429',
      '431',
      '500',
      '503',
    ]);
    expect(Object.keys(at('/v1/things/{id}', 'delete').responses)).toEqual([
      '204',
      '400',
      '401',
      '403',
      '404',
      '412',
      '413',
      '415',
      '422',
      '429',
      '431',
      '500',
      '503',
    ]);
    expect(Object.keys(at('/v1/open', 'get').responses)).toEqual([
      '200',
      '400',
      '422',
      '429',
      '431',
      '500',
      '503',
    ]);
    const { NoToken, Forbidden, NotFound } = json.components.responses;
    expect(Object.keys(NoToken.content)).toEqual(['application/json']);
    expect(Object.keys(Forbidden.content)).toEqual(['application/problem+json', 'application/json']);
    expect(Object.keys(NotFound.content)).toEqual(['application/problem+json']);
  });

  it('says which headers are taken and given', () => {
    expect(at('/v1/things', 'post').parameters).toEqual([{ $ref: '#/components/parameters/IdempotencyKey' }]);
    expect(at('/v1/things/{id}', 'delete').parameters).toContainEqual({
      $ref: '#/components/parameters/IfMatch',
    });
    expect(at('/v1/things/{id}', 'get').responses['200'].headers).toEqual({
      ETag: { $ref: '#/components/headers/ETag' },
    });
  });

  it('describes lazy schemas as what they stand for', () => {
    expect(json.components.schemas.Thing).toMatchObject({ type: 'object', required: ['id'] });
    expect(at('/v1/things', 'post').requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Thing',
    });
    expect(at('/v1/things', 'get').parameters).toMatchObject([{ in: 'query', name: 'limit' }]);
  });

  it('does not depend on the order in which operations are found', () => {
    const other = openApiDocument(declare(open, remove, create, list, get) as DeclaredOperation[]);
    expect(JSON.stringify(other.paths)).toBe(JSON.stringify(document.paths));
  });

  it.each([
    ['two operations of one name', { ...list, id: 'getThing' }, 'called getThing'],
    ['two operations of one route', { ...list, id: 'other', path: '/v1/things/{id}' }, 'GET /v1/things/{id}'],
    ['a status that nobody described', { ...list, path: '/v1/x', problems: [418] }, '418'],
    [
      'a header that nobody described',
      {
        ...list,
        path: '/v1/x',
        documentation: documentation({ 200: { description: '', headers: ['X-A'] } }),
      },
      'X-A',
    ],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => openApiDocument(declare(get, wrong as Operation))).toThrow(message);
  });
});
