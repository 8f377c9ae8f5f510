import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../scripts/command.ts';

const root = join(import.meta.dirname, '../..');

it("the OpenAPI document passes Redocly's strict rules", async () => {
  const redocly = join(root, 'node_modules/.bin/redocly');
  const document = join(root, 'functions/public/openapi.json');
  const env = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const said = run(redocly, ['lint', '--extends', 'recommended-strict', '--format', 'json', document], {
    env,
  });
  expect(JSON.parse(await said)).toMatchObject({ totals: { errors: 0, warnings: 0, ignored: 0 } });
});
