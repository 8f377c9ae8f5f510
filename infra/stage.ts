/** Reads `infra/stages/<stage>.json` and checks what a deployment would otherwise only find out on AWS. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Stage, stageSchema } from '../shared/model/stage.ts';
import { wording } from '../shared/text/wording.ts';
import { buildProblems } from './build-checks.ts';
import { hostProblems } from './host-checks.ts';
import { nameProblems } from './names.ts';
import { SynthError } from './synth-error.ts';

/** A deployment may keep its configurations elsewhere. */
const stagesFolder = process.env.SLIPWAY_STAGES ?? join(import.meta.dirname, 'stages');

/** The stage configuration can't be deployed; the message says where, why, and what to change. */
export class StageConfigurationError extends SynthError {
  constructor(source: string, problems: string[]) {
    super(`${source} can't be deployed:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * Checks a parsed stage configuration.
 * @param source what the error calls it, such as the file's name
 * @throws StageConfigurationError with every problem found
 */
export function checkStage(configuration: unknown, source: string): Stage {
  const parsed = stageSchema.safeParse(configuration, { error: wording });
  if (!parsed.success)
    throw new StageConfigurationError(
      source,
      parsed.error.issues.flatMap(({ path, message }) =>
        message.split('\n').map((line) => `${path.join('.') || 'the document'}: ${line}`),
      ),
    );
  const problems = [
    ...nameProblems(parsed.data),
    ...hostProblems(parsed.data),
    ...buildProblems(parsed.data),
  ];
  if (problems.length > 0) throw new StageConfigurationError(source, problems);
  return parsed.data;
}

/**
 * Loads a stage by name.
 * @throws StageConfigurationError when there is no such file, it isn't JSON, or `checkStage` refuses it
 */
export function loadStage(name: string, folder = stagesFolder): Stage {
  const file = join(folder, `${name}.json`);
  const source = `infra/stages/${name}.json`;
  if (!existsSync(file)) {
    const known = readdirSync(folder)
      .filter((one) => one.endsWith('.json'))
      .map((one) => basename(one, '.json'));
    throw new StageConfigurationError(source, [
      `this file does not exist; copy infra/stages/example.json to it, or choose one of ${known.join(', ')} with -c stage=<name>`,
    ]);
  }
  const stage = checkStage(parseJson(readFileSync(file, 'utf8'), source), source);
  if (stage.stage !== name)
    throw new StageConfigurationError(source, [
      `stage: says "${stage.stage}"; set it to "${name}", the file's name, since every AWS name begins with it`,
    ]);
  const kept = placeholders(stage);
  if (kept.length > 0 && !shipped.has(name)) throw new StageConfigurationError(source, kept);
  return stage;
}

/** Stages of this repository, which nobody deploys as they are. */
const shipped = new Set(['example', 'local']);

/** Mail would go to, or come from, addresses of somebody else. */
function placeholders({ mailFrom, organisations }: Stage): string[] {
  const addresses = [
    ['mailFrom', mailFrom],
    ...organisations.map(({ id, adminEmail }) => [`adminEmail of ${id}`, adminEmail]),
  ];
  return addresses
    .filter(([, address = '']) => /[@.]example\.(com|org|net)$/.test(address))
    .map(([field, address]) => `${field}: ${address} is the example's address; use one of yours`);
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StageConfigurationError(source, [`not JSON: ${(error as Error).message}`]);
  }
}
