import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { withDeclared } from './synthesized.ts';
import { variants } from './variants.ts';

test.each(Object.entries(variants))('cdk-nag (AwsSolutions) finds nothing unexplained in %s', (_, stage) => {
  const { violations } = withDeclared(stage, (app) => new AwsSolutionsChecks(app).validateScope(app));
  const findings = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map((one) => `${ruleName} at ${one.constructPath}`),
  );
  expect(findings).toEqual([]);
});
