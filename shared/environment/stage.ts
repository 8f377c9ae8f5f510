import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../model/stage.ts';

/**
 * The stage configuration that travels beside the bundle. It was checked, and its defaults filled in, when the bundle
 * was made; checking it again would only cost every cold start. Throws when it is missing.
 */
export function readStage(folder: string = process.env.LAMBDA_TASK_ROOT ?? import.meta.dirname): Stage {
  return JSON.parse(readFileSync(join(folder, 'stage.json'), 'utf8')) as Stage;
}
