/** I10, I11: the checks that were asked for, each with the image really started. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildResult, ValidationSpec } from '../../shared/model/build-spec.ts';
import type { Validation } from '../../shared/model/validation.ts';
import { say } from '../output.ts';
import { type State, saveState, type Work } from '../work.ts';
import { findCapabilities } from './capabilities.ts';
import { createEngine } from './container.ts';
import { checkNotebook } from './notebook.ts';

const resultFile = (work: Work) => join(work.folder, 'validation.json');

export async function validate(work: Work, state: State<ValidationSpec>): Promise<void> {
  const { spec, client, image, timingsMs } = state;
  if (!image) throw new Error('there is no image to check');
  const name = (part: string) => `slipway-check-${spec.buildId}-${part}`;
  const names = {
    emptyHome: name('notebook'),
    ownHome: name('notebook-own-home'),
    user: name('user'),
    probe: name('probe'),
  };
  const engine = createEngine(
    client,
    work.docker.config,
    Object.values(names),
    image.fetched ? image.reference : undefined,
  );
  const validation: Validation = { digest: spec.image.digest };
  const started = performance.now();
  try {
    if (spec.checks.includes('notebook'))
      validation.notebook = await checkNotebook(engine, image.reference, names, say);
    if (spec.checks.includes('capabilities')) {
      validation.capabilities = await findCapabilities(engine, image.reference, names.probe);
      for (const { kind, supported, missing } of validation.capabilities.kinds)
        say(`capabilities: ${kind}: ${supported ? 'yes' : `no, lacks ${missing.join(', ')}`}`);
    }
  } finally {
    await engine.end();
  }
  timingsMs.check = Math.round(performance.now() - started);
  await writeFile(resultFile(work), JSON.stringify(validation), { mode: 0o600 });
  await saveState(work, state);
}

export async function resultOf(work: Work, { timingsMs }: State<ValidationSpec>): Promise<BuildResult> {
  const validation = JSON.parse(await readFile(resultFile(work), 'utf8')) as Validation;
  return { outcome: 'validated', validation, timingsMs };
}
