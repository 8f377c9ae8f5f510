/** A session with the types that openapi-typescript generates, beside this file as `generated.ts`. */
import type { components, operations, paths } from './generated.ts';

type Schemas = components['schemas'];
type Body<Name extends keyof operations> = operations[Name] extends {
  requestBody: { content: { 'application/json': infer Value } };
}
  ? Value
  : undefined;

const [base, repository] = process.argv.slice(2) as [string, string];

async function ask<Answer>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: keyof paths,
  id = '',
  body?: unknown,
): Promise<Answer> {
  const answer = await fetch(process.env.SLIPWAY_API + path.replace(/\{\w+\}/, id), {
    method,
    headers: { authorization: `Bearer ${process.env.SLIPWAY_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (answer.status === 204 ? undefined : await answer.json()) as Answer;
}

function expect(truth: boolean, what: unknown): void {
  if (!truth) throw new Error(JSON.stringify(what));
}

const source: Schemas['BuildSource'] = {
  type: 'build',
  dockerfile: 'ARG BASE\nFROM $BASE\nLABEL by=openapi-typescript\n',
  buildArgs: { BASE: base },
};
const asked: Body<'createImage'> = { source, repository, tag: 'v1' };
const image = await ask<Schemas['Image']>('POST', '/v1/images', '', asked);
const build = image.currentBuild?.id ?? '';
let status: Schemas['BuildStatus'] = 'queued';
for (const end = performance.now() + 300_000; !(['succeeded', 'failed'] as string[]).includes(status); ) {
  ({ status } = await ask<Schemas['Build']>('GET', '/v1/builds/{id}', build));
  expect(performance.now() < end, status);
}
expect(status === 'succeeded', status);

// What has a default may be left out.
const stored: Body<'createExperiment'> = { image: `${repository}:v1`, command: ['true'] };
const settings: Body<'putSettings'> = {};
expect(Object.keys(settings).length === 0, settings);
const experiment = await ask<Schemas['Experiment']>('POST', '/v1/experiments', '', stored);
const stopped = await ask<Schemas['Experiment']>('POST', '/v1/experiments/{id}/stop', experiment.id);
expect(stopped.env !== undefined && stopped.retry.on.length > 0, stopped);
const problem = await ask<Schemas['Problem']>('GET', '/v1/images/{id}', 'img_missing');
const type: Schemas['ProblemType'] = problem.type;
expect(type === 'urn:slipway:problem:not-found', problem);
