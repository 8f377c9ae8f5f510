import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Stage, stageSchema } from '../model/stage.ts';

/** The stage configuration that travels beside the bundle. Throws when it is missing or wrong. */
export function readStage(folder: string = process.env.LAMBDA_TASK_ROOT ?? import.meta.dirname): Stage {
  return stageSchema.parse(JSON.parse(readFileSync(join(folder, 'stage.json'), 'utf8')));
}
