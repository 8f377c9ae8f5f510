import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openApiDocument } from '../../scripts/openapi/document.ts';
import { type Operation, operation } from '../../shared/http/operation.ts';

interface Parts {
  body?: z.ZodType;
  example?: unknown;
  query?: z.ZodType;
  answer?: z.ZodType;
}

/** The document of one operation that takes and answers these. */
// biome-ignore lint/suspicious/noExplicitAny: a JSON document
function documentOf({ body, example, query, answer = z.string() }: Parts): any {
  const declared = operation({
    id: 'createThing',
    method: 'POST',
    path: '/v1/things',
    role: 'editor',
    body,
    query,
    documentation: () => ({
      tag: 'Images',
      summary: 'x',
      example,
      responses: { 201: { description: 'Made', schema: answer } },
    }),
  });
  const document = openApiDocument([{ folder: 'things', operation: declared as unknown as Operation }]);
  return JSON.parse(JSON.stringify(document));
}
const schemasOf = (parts: Parts) => documentOf(parts).components.schemas;

describe('schemas of the OpenAPI document', () => {
  it.each([
    ['an object', z.object({ inner: z.object({ a: z.string() }) }), 'Thing.properties.inner'],
    ['an object in a list', z.object({ all: z.array(z.object({})) }), 'Thing.properties.all.items'],
    ['an enumeration', z.object({ kind: z.enum(['a', 'b']) }), 'Thing.properties.kind'],
    ['an enumeration that may be null', z.object({ kind: z.enum(['a']).nullish() }), 'kind.anyOf.0'],
    ['a map', z.object({ env: z.record(z.string(), z.string()) }), 'Thing.properties.env'],
    ['a union', z.object({ one: z.union([z.string().max(9), z.int()]) }), 'Thing.properties.one'],
  ])('have to have a name: %s', (_, shape, place) => {
    expect(() => documentOf({ answer: shape.meta({ id: 'Thing' }) })).toThrow(place);
  });

  it('have to have a name in parameters too, and one that differs in more than case', () => {
    expect(() => documentOf({ query: z.object({ kind: z.enum(['a', 'b']) }) })).toThrow(
      'parameters.0.schema',
    );
    const [thing, other] = ['Thing', 'THING'].map((id) => z.object({}).meta({ id }));
    expect(() => documentOf({ answer: z.object({ thing, other }).meta({ id: 'Both' }) })).toThrow('THING');
  });

  it('may not differ between requests and answers under one name', () => {
    const thing = z.object({ size: z.int().default(1) }).meta({ id: 'Thing' });
    expect(() => documentOf({ body: thing, example: {}, answer: thing })).toThrow('ThingOutput');
  });

  it('leave out what clients would check wrongly', () => {
    const fields = { at: z.iso.datetime(), mail: z.email(), count: z.int(), few: z.int().max(9) };
    const { Thing } = schemasOf({ answer: z.object(fields).meta({ id: 'Thing' }) });
    expect(Thing.properties).toEqual({
      at: { type: 'string', format: 'date-time' },
      mail: { type: 'string', format: 'email' },
      count: { type: 'integer' },
      few: { type: 'integer', maximum: 9 },
    });
    // Answers gain fields.
    expect(Thing).not.toHaveProperty('additionalProperties');
  });

  it('say defaults of bodies in words, so that no generator asks for the field', () => {
    const { NewThing } = schemasOf({
      body: z
        .strictObject({
          mode: z.enum(['a', 'b']).meta({ id: 'Mode' }).default('a').meta({ description: 'How.' }),
          tags: z.array(z.string()).default([]),
        })
        .meta({ id: 'NewThing' }),
      example: {},
      query: z.strictObject({ limit: z.coerce.number().int().default(50) }),
    });
    expect(NewThing).toEqual({
      type: 'object',
      properties: {
        mode: { $ref: '#/components/schemas/Mode', description: 'How. Default: `a`' },
        tags: { type: 'array', items: { type: 'string' }, description: 'Default: `[]`' },
      },
      additionalProperties: false,
    });
    const [limit] = documentOf({ query: z.strictObject({ limit: z.int().default(50) }) }).paths['/v1/things']
      .post.parameters;
    expect(limit.schema.default).toBe(50);
  });

  it('have the keys of a record as fields, and tell unions apart by their discriminator', () => {
    const level = z.enum(['high', 'low']).meta({ id: 'Level' });
    const [a, b] = (['a', 'b'] as const).map((type) =>
      z.object({ type: z.literal(type) }).meta({ id: `Source${type}` }),
    );
    const { Thing, Source } = schemasOf({
      answer: z
        .object({
          counts: z.record(level, z.int()).meta({ id: 'Counts' }),
          source: z.discriminatedUnion('type', [a as z.ZodObject, b as z.ZodObject]).meta({ id: 'Source' }),
        })
        .meta({ id: 'Thing' }),
    });
    expect(Thing.properties.counts).toEqual({ $ref: '#/components/schemas/Counts' });
    expect(Source.discriminator).toEqual({
      propertyName: 'type',
      mapping: { a: '#/components/schemas/Sourcea', b: '#/components/schemas/Sourceb' },
    });
  });

  it.each([
    ['no example', undefined],
    ['one that its schema refuses', { size: 'large' }],
    ['one with an unknown field', { size: 1, colour: 'blue' }],
  ])('of bodies need an example that is taken: not %s', (_, example) => {
    const body = z.strictObject({ size: z.int() }).meta({ id: 'NewThing' });
    expect(() => documentOf({ body, example })).toThrow('the example of createThing is refused');
    const document = documentOf({ body, example: { size: 1 } });
    expect(document.paths['/v1/things'].post.requestBody.content['application/json'].example).toEqual({
      size: 1,
    });
  });
});
