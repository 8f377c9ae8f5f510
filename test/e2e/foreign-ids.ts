/** Every place of the API's document where a request names something by an id, with somebody else's id put there. */
import document from '../../functions/public/openapi.json' with { type: 'json' };
import { type Json, unique } from './client.ts';

/** By the first part of the id; `secret` by its name. */
export type Foreign = Record<'img' | 'bld' | 'exp' | 'reg' | 'mem' | 'tok' | 'upl' | 'secret', string>;

export interface Place {
  operationId: string;
  method: string;
  route: string;
  kind: keyof Foreign;
  /** Path parameter or query parameter, or JSON pointer into the body. */
  at: string;
  media?: string;
}

const resolved = (schema: Json): Json =>
  schema.$ref === undefined
    ? schema
    : resolved((document.components.schemas as Json)[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]);

const kindOf = ({ pattern = '' }: Json): keyof Foreign | undefined =>
  /^\^(img|bld|exp|reg|mem|tok|upl)_/.exec(pattern)?.[1] as keyof Foreign | undefined;

/** Pointers to ids below a schema; `secrets` maps ids of a build to names of the organisation's. */
function pointers(unresolved: Json, pointer = ''): { at: string; kind: keyof Foreign }[] {
  const schema = resolved(unresolved);
  const kind = kindOf(schema);
  const properties: [string, Json][] = Object.entries(schema.properties ?? {});
  return [
    ...(kind ? [{ at: pointer, kind }] : []),
    ...['anyOf', 'oneOf', 'allOf'].flatMap((word) =>
      (schema[word] ?? []).flatMap((one: Json) => pointers(one, pointer)),
    ),
    ...properties.flatMap(([name, one]) =>
      name === 'secrets' && resolved(one).additionalProperties
        ? [{ at: `${pointer}/secrets/token`, kind: 'secret' as const }]
        : pointers(one, `${pointer}/${name}`),
    ),
    ...(schema.items ? pointers(schema.items, `${pointer}/0`) : []),
  ];
}

const operations = Object.entries(document.paths as Json).flatMap(([route, methods]) =>
  Object.entries(methods as Json).map(([method, operation]) => ({
    route,
    method: method.toUpperCase(),
    operation: operation as Json,
  })),
);

const parametersIn = (where: 'path' | 'query'): Place[] =>
  operations.flatMap(({ route, method, operation }) =>
    (operation.parameters ?? []).flatMap(({ in: place, name, schema = {} }: Json): Place[] => {
      if (place !== where) return [];
      const kind = kindOf(resolved(schema)) ?? (route.startsWith('/v1/secrets/') ? 'secret' : undefined);
      if (!kind && where === 'query') return [];
      if (!kind) throw new Error(`${method} ${route}: nobody knows what {${name}} names`);
      const [media] = Object.keys(operation.requestBody?.content ?? {});
      return [
        { operationId: operation.operationId, method, route, kind, at: name, ...(media ? { media } : {}) },
      ];
    }),
  );

export const inPaths = parametersIn('path');
export const inQueries = parametersIn('query');

export const inBodies: Place[] = operations.flatMap(({ route, method, operation }) => {
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  if (!schema) return [];
  const places = new Map(pointers(schema).map((one) => [one.at, one]));
  return [...places.values()].map((one) => ({ operationId: operation.operationId, method, route, ...one }));
});

/** `body` with `value` at a pointer. */
export function withValue(body: Json, pointer: string, value: string): Json {
  const [, first = '', ...rest] = pointer.split('/');
  const below = rest.length > 0 ? `/${rest.join('/')}` : undefined;
  const next = below === undefined ? value : withValue(body?.[first] ?? {}, below, value);
  if (!Array.isArray(body)) return { ...body, [first]: next };
  return body.map((one, i) => (i === Number(first) ? next : one));
}

/** Requests that only somebody else's id makes wrong, so that it and nothing else is refused. */
export const valid = (at: string): Record<string, Json> => {
  const dockerfile = 'FROM scratch\nLABEL a=b\n';
  const named = { repository: unique('tenancy'), tag: '1' };
  const logo = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>';
  return {
    createImage: { source: { type: 'build', dockerfile }, ...named },
    createImageBuild: { dockerfile },
    createImageMirror: named,
    createExperiment: { build: at === '/build/imageId' ? {} : { dockerfile, ...named }, command: ['true'] },
    createFamily: { images: [{ dockerfile, ...named }] },
    putSettings: {},
    updateSettings: {},
    putImageLogo: logo,
    putSecret: { value: 'theirs' },
    updateMember: { role: 'viewer' },
    updateImage: { readme: 'theirs' },
    updateExperiment: { name: 'theirs' },
    updateRegistry: { title: 'theirs' },
  };
};
