import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * CDK's feature flags, from cdk.json. The CLI passes them to the app by itself; the tests and whoever starts the app
 * without the CLI take them from here, so that all get the same templates.
 */
export const featureFlags: Record<string, unknown> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../cdk.json'), 'utf8'),
).context;
