/** What the schemas of the document have to be for generators of clients, beyond what zod says of them. */
import * as z from 'zod';
import type { createDocument } from 'zod-openapi';

type Document = ReturnType<typeof createDocument>;
type Override = NonNullable<NonNullable<Parameters<typeof createDocument>[1]>['override']>;
// biome-ignore lint/suspicious/noExplicitAny: a JSON schema
type Schema = any;

const outOfRange = (bound: unknown) => Math.abs(bound as number) >= Number.MAX_SAFE_INTEGER;

/** Says less than zod where that misleads: a client that checks it would refuse what the API answers or takes. */
export const finishSchema: Override = ({ zodSchema, jsonSchema, io }) => {
  const schema: Schema = jsonSchema;
  // Parsers of a format check a pattern on what they have parsed, such as a date.
  if (schema.format) delete schema.pattern;
  for (const bound of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'])
    if (outOfRange(schema[bound])) delete schema[bound];
  // A record of known keys is an object of fields.
  if (zodSchema instanceof z.ZodRecord && zodSchema.keyType instanceof z.ZodEnum) {
    const value = schema.additionalProperties;
    schema.properties = Object.fromEntries(zodSchema.keyType.options.map((key) => [key, value]));
    delete schema.propertyNames;
    schema.additionalProperties = false;
  }
  // Answers gain fields; only requests are strict.
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
};

/**
 * Puts the defaults of bodies into words. Some generators take a field with a `default` for one that must be there, and
 * in an answer it is there anyway.
 */
export function sayDefaults(document: Document): void {
  for (const { properties = {}, required = [] } of Object.values<Schema>(document.components?.schemas ?? {}))
    for (const [name, property] of Object.entries<Schema>(properties)) {
      const { default: value, description } = property;
      delete property.default;
      if (value === undefined || required.includes(name)) continue;
      const said = `Default: \`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
      property.description = description ? `${description.replace(/\.$/, '')}. ${said}` : said;
    }
}

/**
 * Throws where an object, an enumeration or a union has no name: generators make one up, which changes with its place
 * and may be another's. Throws too for names that differ in case only: some file systems hold one of them.
 */
export function requireNames(document: Document): void {
  const names = Object.keys(document.components?.schemas ?? {});
  const twice = names.filter((name, i) =>
    names.some((other, j) => j < i && other.toLowerCase() === name.toLowerCase()),
  );
  const madeUp = names.filter((name) => /Output$|^__/.test(name));
  const unnamed = Object.entries(document.components?.schemas ?? {}).flatMap(([name, schema]) =>
    unnamedIn(schema, name, true),
  );
  unnamed.push(...unnamedIn(document.paths, 'paths'));
  const wrong = [...twice, ...madeUp, ...unnamed];
  if (wrong.length > 0) throw new Error(`give these schemas a name, with .meta({ id }): ${wrong.join(', ')}`);
}

function unnamedIn(schema: Schema, place: string, hasName = false): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const alternatives = schema.oneOf ?? schema.anyOf?.filter((one: Schema) => one.type !== 'null') ?? [];
  const needsName = schema.type === 'object' || Array.isArray(schema.enum) || alternatives.length > 1;
  if (needsName && !hasName) return [place];
  return Object.entries(schema).flatMap(([key, inner]) =>
    key === 'example' ? [] : unnamedIn(inner, `${place}.${key}`),
  );
}
