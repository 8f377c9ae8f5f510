/** What operations answer besides success: problem documents, and the gateway's own bodies; each a component. */
import * as z from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import type { Operation } from '../../shared/http/operation.ts';
import { problemSchema } from './problem.ts';

const gatewayErrorSchema = z
  .object({ message: z.string().meta({ example: 'Unauthorized' }) })
  .meta({ id: 'GatewayError', description: "The gateway's own answer to a request that it refuses" });

const problemBody = { 'application/problem+json': { schema: problemSchema } };
const gatewayBody = { 'application/json': { schema: gatewayErrorSchema } };
/** Under both media types, since clients decide by the status which schema they read with. */
const refusalSchema = z
  .union([problemSchema, gatewayErrorSchema])
  .meta({ id: 'Refusal', description: 'A problem document from Slipway, or a message from the gateway' });
const eitherBody = {
  'application/problem+json': { schema: refusalSchema },
  'application/json': { schema: refusalSchema },
};

const problem = (id: string, description: string): ZodOpenApiResponseObject => ({
  id,
  description,
  content: problemBody,
});

const refusals: Record<number, ZodOpenApiResponseObject> = {
  400: problem('BadRequest', 'The body is not JSON, or a header is invalid'),
  401: {
    id: 'NoToken',
    description: 'From the gateway: the request has no Authorization header',
    content: gatewayBody,
  },
  403: {
    id: 'Forbidden',
    description:
      'A problem: your role does not allow this. From the gateway: the token is wrong, expired or revoked, or its member was removed',
    content: eitherBody,
  },
  404: problem('NotFound', 'Your organisation has no such resource'),
  409: problem('Conflict', 'The request conflicts with the current state'),
  412: problem('Stale', 'The resource has changed since the version in If-Match'),
  413: {
    id: 'TooLarge',
    description: 'From the gateway: the request is too large. A problem: a part of the request is too large',
    content: eitherBody,
  },
  415: problem('MediaType', 'The operation does not take this media type'),
  422: problem('Invalid', 'Some fields are invalid; `errors` lists each with its JSON pointer'),
  500: {
    id: 'Internal',
    description:
      'Slipway failed; the request id finds the cause in the log. From the gateway: the function gave no valid answer',
    content: eitherBody,
  },
  503: {
    id: 'Busy',
    description:
      'A problem: too many such requests at once; try again. From the gateway: too many requests at once',
    content: eitherBody,
  },
};

/** Of the gateway alone, whatever is asked. */
const gatewayRefusals: Record<number, ZodOpenApiResponseObject> = {
  429: { id: 'Throttled', description: 'From the gateway: too many requests at once', content: gatewayBody },
  431: {
    id: 'HeadersTooLarge',
    description: 'From the gateway: the request line and headers exceed 10,240 bytes together',
    content: gatewayBody,
  },
  503: {
    id: 'NoAnswer',
    description: 'From the gateway: the function did not answer in time, or the deployment is at its limit',
    content: gatewayBody,
  },
};

/** Every status that `operation` may answer with an error. Throws for one that nobody described. */
export function refusalsOf({ method, role, problems = [] }: Operation): [number, ZodOpenApiResponseObject][] {
  const statuses = new Set([400, 422, 500, ...problems]);
  if (role !== 'public') for (const status of [401, 403]) statuses.add(status);
  // An idempotency key whose first request is still at work.
  if (role !== 'public' && method === 'POST') statuses.add(409);
  // Whether it takes a body or not: what is sent is measured, then looked at.
  if (method !== 'GET') for (const status of [413, 415]) statuses.add(status);
  const responses = [...statuses].map((status): [number, ZodOpenApiResponseObject] => {
    const response = refusals[status];
    if (!response) throw new Error(`status ${status} has no description`);
    return [status, response];
  });
  const others = Object.entries(gatewayRefusals).map(
    ([status, response]): [number, ZodOpenApiResponseObject] => [Number(status), response],
  );
  return [...responses, ...others.filter(([status]) => !statuses.has(status))].sort(([a], [b]) => a - b);
}

const header = (id: string, description: string) => z.string().meta({ description, header: { id } });
const headers: Record<string, z.ZodString> = {
  ETag: header('ETag', 'Version of the resource, for If-Match'),
  Location: header('Location', 'Path of the resource'),
};

/** Throws for a header that nobody described. */
export function responseHeaders(names: string[]): z.ZodObject {
  return z.object(
    Object.fromEntries(
      names.map((name) => {
        const schema = headers[name];
        if (!schema) throw new Error(`response header ${name} has no description`);
        return [name, schema];
      }),
    ),
  );
}
