/** The OpenAPI document of a set of operations: pure, in an order that depends on nothing but names. */
import * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import type { Documentation, Operation } from '../../shared/http/operation.ts';
import { refusalsOf, responseHeaders } from './responses.ts';
import { finishSchema, requireNames, sayDefaults } from './schemas.ts';
import { tags } from './tags.ts';

export interface DeclaredOperation {
  /** The function that serves it: a folder below `functions/`. */
  folder: string;
  operation: Operation;
}

const description = `Builds container images and launches experiments in them.

Every route but \`/v1/health\` and \`/v1/openapi.json\` needs \`Authorization: Bearer <token>\`.
A person who signs in and is a member of several organisations names one in the header \`Slipway-Organisation\`;
Slipway tokens belong to one.
Errors are problem documents (RFC 9457) whose \`type\` ends in a stable code; only what the gateway itself
refuses (401, a wrong token's 403, an unknown route's 404, 413, 429, 503) has its \`{"message"}\` body.`;

/** Throws where two operations share an id or a route. */
export function openApiDocument(declared: DeclaredOperation[]) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const ids = new Set<string>();
  for (const { folder, operation } of [...declared].sort(byPathThenMethod)) {
    const method = operation.method.toLowerCase();
    paths[operation.path] ??= {};
    const path = paths[operation.path] as Record<string, ZodOpenApiOperationObject>;
    if (ids.has(operation.id)) throw new Error(`two operations are called ${operation.id}`);
    if (path[method]) throw new Error(`two operations serve ${operation.method} ${operation.path}`);
    ids.add(operation.id);
    path[method] = operationObject(folder, operation);
  }
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Slipway',
        version: 'v1',
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      security: [{ bearer: [] }],
      tags: [...new Set(declared.map((one) => documentationOf(one.operation).tag))]
        .sort()
        .map((name) => ({ name, description: descriptionOf(name) })),
      paths,
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An access token of the OIDC issuer, or a Slipway token (`slp_…`)',
          },
        },
      },
    },
    { override: finishSchema },
  );
  sayDefaults(document);
  requireNames(document);
  return document;
}

function descriptionOf(tag: string): string {
  const description = tags[tag];
  if (description === undefined) throw new Error(`the tag ${tag} has no description`);
  return description;
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const byPathThenMethod = (a: DeclaredOperation, b: DeclaredOperation) =>
  a.operation.path < b.operation.path
    ? -1
    : a.operation.path > b.operation.path
      ? 1
      : methods.indexOf(a.operation.method) - methods.indexOf(b.operation.method);

function operationObject(folder: string, operation: Operation): ZodOpenApiOperationObject {
  const isPublic = operation.role === 'public';
  const headers = requestHeaders(operation);
  const { tag, summary, description } = documentationOf(operation);
  return {
    operationId: operation.id,
    tags: [tag],
    summary,
    description: [description, isPublic ? undefined : `Requires the role ${operation.role}.`]
      .filter((part) => part !== undefined)
      .join('\n\n'),
    'x-slipway-function': folder,
    ...(isPublic ? { security: [] } : {}),
    requestParams: {
      ...(operation.params ? { path: objectIn(operation.params) } : {}),
      ...(operation.query ? { query: objectIn(operation.query) } : {}),
      ...(headers ? { header: headers } : {}),
    },
    ...(operation.body ? { requestBody: bodyOf(operation) } : {}),
    responses: responses(operation),
  } as ZodOpenApiOperationObject;
}

const bytes = { schema: { type: 'string', format: 'binary' } } as const;

/**
 * With an example, which its own schema has to take. Of the media types of bytes only the first is named: generators of
 * clients drop an operation with a body of a type that they don't know, whatever else it takes.
 */
function bodyOf({ id, body, bodyTypes, bodyIsOptional, documentation }: Operation) {
  if (bodyTypes) return { required: true, content: { [bodyTypes[0] as string]: bytes } };
  const example = documentation?.().example;
  const checked = body?.safeParse(example);
  if (!checked?.success) throw new Error(`the example of ${id} is refused: ${checked?.error.message}`);
  return { required: !bodyIsOptional, content: { 'application/json': { schema: body, example } } };
}

/** By media type; what isn't JSON is text, or bytes that no schema describes. */
const contentOf = (schema: z.ZodType, types: readonly string[] = ['application/json']) =>
  Object.fromEntries(
    types.map((type) => [type, /^(?:application|text)\/(?!octet-stream)/.test(type) ? { schema } : bytes]),
  );

/** Parameters are listed one by one, so the object is needed and not the promise of one. */
function objectIn(schema: z.ZodType): z.ZodObject {
  if (schema instanceof z.ZodLazy) return objectIn(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodObject) return schema;
  throw new Error('parameters are described by an object');
}

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/)
  .optional()
  .meta({
    param: { id: 'IdempotencyKey' },
    description:
      'A repeat with the same key within 24 hours gets the first answer. With another body it is 422; while the first request is still running it is 409',
  });

const ifMatch = z
  .string()
  .optional()
  .meta({
    param: { id: 'IfMatch' },
    description: 'The `ETag` that the change is based on. 412 if the resource has changed since',
  });

const ifNoneMatch = z
  .string()
  .optional()
  .meta({
    param: { id: 'IfNoneMatch' },
    description: 'An `ETag` that you have. 304 without a body if the resource is unchanged',
  });

const hasEntityTag = (operation: Operation): boolean =>
  operation.method === 'GET' &&
  Object.values(documentationOf(operation).responses).some(({ headers }) => headers?.includes('ETag'));

function requestHeaders(operation: Operation): z.ZodObject | undefined {
  const { method, role } = operation;
  if (hasEntityTag(operation)) return z.object({ 'If-None-Match': ifNoneMatch });
  if (role === 'public' || method === 'GET') return undefined;
  return z.object(method === 'POST' ? { 'Idempotency-Key': idempotencyKey } : { 'If-Match': ifMatch });
}

const notModified = {
  id: 'NotModified',
  description: 'The resource is unchanged since the version in If-None-Match',
};

function responses(operation: Operation): ZodOpenApiResponsesObject {
  const answers = Object.entries(documentationOf(operation).responses).map(
    ([status, { description, schema, types, headers }]) => [
      status,
      {
        description,
        ...(schema ? { content: contentOf(schema, types) } : {}),
        ...(headers ? { headers: responseHeaders(headers) } : {}),
      },
    ],
  );
  const unchanged = hasEntityTag(operation) ? [['304', notModified] as const] : [];
  return Object.fromEntries([...answers, ...unchanged, ...refusalsOf(operation)]);
}

function documentationOf({ id, documentation }: Operation): Documentation {
  if (!documentation) throw new Error(`${id} is not documented`);
  return documentation();
}
