/** Routes of the HTTP API, taken from the document that describes them to users. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { SynthError } from './synth-error.ts';

/** API Gateway's limit for one API. */
const routeLimit = 300;

const documentFile = 'functions/public/openapi.json';

const operation = z.looseObject({
  'x-slipway-function': z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(z.looseObject({ in: z.string().optional(), name: z.string().optional() })).optional(),
});
const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;
const document = z.looseObject({
  paths: z.record(
    z.string(),
    z.looseObject(Object.fromEntries(methods.map((method) => [method, operation.optional()]))),
  ),
});

export interface ApiRoute {
  method: (typeof methods)[number];
  /** As API Gateway writes it, which is as OpenAPI does: `/v1/images/{id}`. */
  path: string;
  /** Folder below `functions/`. */
  function: string;
  /** True where anybody may call: no authorizer stands before it. */
  open: boolean;
  /** True where a request may wait for something new (`wait`), and take up an environment all the time. */
  waits: boolean;
}

/** The OpenAPI document names something that the infrastructure can't provide. */
export class ApiDocumentError extends SynthError {
  constructor(problems: string[]) {
    super(`${documentFile} can't become an HTTP API:\n${problems.map((one) => `  - ${one}`).join('\n')}`);
  }
}

/**
 * Reads the routes.
 * @param functions names that an operation may be handled by
 * @throws ApiDocumentError naming each operation without a known function, and any limit exceeded
 */
export function routesOf(openApi: unknown, functions: string[]): ApiRoute[] {
  const parsed = document.safeParse(openApi);
  if (!parsed.success)
    throw new ApiDocumentError(
      parsed.error.issues.map((issue) => `${issue.path.join(' ')}: ${issue.message}`),
    );
  const routes = Object.entries(parsed.data.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const described = item[method];
      if (described === undefined) return [];
      const {
        'x-slipway-function': name,
        security,
        parameters = [],
      } = described as z.infer<typeof operation>;
      const waits = parameters.some((one) => one.in === 'query' && one.name === 'wait');
      return { method, path, function: name, open: security?.length === 0, waits };
    }),
  );
  const problems = routes
    .filter((route) => !functions.includes(route.function))
    .map(
      (route) =>
        `${route.method.toUpperCase()} ${route.path}: no function "${route.function}" behind the API; x-slipway-function is one of ${functions.join(', ')}`,
    );
  if (routes.length > routeLimit)
    problems.push(`${routes.length} routes; an HTTP API has at most ${routeLimit}`);
  if (problems.length > 0) throw new ApiDocumentError(problems);
  return routes;
}

/** The committed document. */
export function readApiDocument(): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', documentFile), 'utf8'));
}
