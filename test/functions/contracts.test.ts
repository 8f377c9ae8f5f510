import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import document from '../../functions/public/openapi.json' with { type: 'json' };
import type { Implementation, Operation } from '../../shared/http/operation.ts';
import { ProblemError } from '../../shared/http/problem.ts';
import { parseRequest } from '../../shared/http/validate.ts';
import { eventOf } from './event.ts';

const functions = join(import.meta.dirname, '../../functions');
const folders = readdirSync(functions).filter((folder) =>
  readdirSync(join(functions, folder)).includes('contract.ts'),
);

/** Stands for dependencies that nobody touches while operations are only bound. */
const nothing: unknown = new Proxy(() => undefined, { get: () => nothing, apply: () => nothing });

describe.each(folders)('%s', (folder) => {
  it('implements every operation of its contract, and no other', async () => {
    const contract: Record<string, unknown> = await import(join(functions, folder, 'contract.ts'));
    const bound: Record<string, unknown> = await import(join(functions, folder, 'operations.ts'));
    const [bind] = Object.values(bound) as ((...dependencies: unknown[]) => Implementation[])[];
    const declared = (Object.values(contract) as Operation[]).map((one) => one.id);
    const implemented = bind?.(nothing, nothing).map((one) => one.operation.id) ?? [];
    expect([...implemented].sort()).toEqual([...declared].sort());
  });
});

describe('a request without its body', () => {
  const documented = Object.values(document.paths).flatMap((path) => Object.values(path)) as {
    operationId: string;
    requestBody?: { required?: boolean };
  }[];
  it.each(folders)('is refused by %s wherever the document says that there has to be one', async (folder) => {
    const contract: Record<string, unknown> = await import(join(functions, folder, 'contract.ts'));
    for (const operation of Object.values(contract) as Operation[]) {
      const body = documented.find(({ operationId }) => operationId === operation.id)?.requestBody;
      if (!body) continue;
      const type = operation.bodyTypes?.[0] ?? 'application/json';
      for (const text of [undefined, '']) {
        const event = eventOf({ method: operation.method, route: operation.path, body: text });
        event.headers['content-type'] = type;
        expect(pointersOf(operation, event).includes(''), operation.id).toBe(body.required === true);
      }
    }
  });

  function pointersOf(operation: Operation, event: ReturnType<typeof eventOf>): string[] {
    try {
      parseRequest(operation, event);
      return [];
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return error.extra.errors?.map(({ pointer }) => pointer) ?? [];
    }
  }
});

describe('A1 what an operation may answer', () => {
  const refusalsIn = (id: string): Record<string, string> => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path)) as {
      operationId: string;
      responses: Record<string, { $ref?: string }>;
    }[];
    const found = operations.find(({ operationId }) => operationId === id);
    return Object.fromEntries(
      Object.entries(found?.responses ?? {}).map(([status, { $ref = '' }]) => [
        status,
        $ref.slice($ref.lastIndexOf('/') + 1),
      ]),
    );
  };

  it('has what the gateway says by itself, whatever is asked', () => {
    expect(refusalsIn('getHealth')).toMatchObject({ 429: 'Throttled', 503: 'NoAnswer' });
  });

  it.each([
    'createImage',
    'createImageBuild',
    'createImageMirror',
    'createImageValidation',
    'createExperiment',
  ])('%s may be busy, as everything is that takes a place among builds', (id) => {
    expect(refusalsIn(id)).toMatchObject({ 503: 'Busy' });
  });
});
