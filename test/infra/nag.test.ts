import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { loadStage } from '../../infra/stage.ts';
import { exampleStage, withDeclared } from './synthesized.ts';

/** What the stacks become by configuration: each variant has resources that the others lack. */
const variants = {
  'the local stage': loadStage('local'),
  'the example stage with two organisations': exampleStage(),
  'an own OIDC issuer and an existing mail identity': exampleStage({
    oidc: { issuer: 'https://login.example.com', audience: 'slipway' },
    mailIdentity: 'existing',
  }),
  'hosts that organisations share': exampleStage({ hosts: 'shared' }),
  'a pull-through cache of everything': exampleStage({
    pullThroughCache: {
      dockerHub: { username: 'bot' },
      ghcr: { username: 'bot' },
      quay: true,
      ecrPublic: true,
    },
  }),
};

test.each(Object.entries(variants))('cdk-nag (AwsSolutions) finds nothing unexplained in %s', (_, stage) => {
  const { violations } = withDeclared(stage, (app) => new AwsSolutionsChecks(app).validateScope(app));
  const findings = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map((one) => `${ruleName} at ${one.constructPath}`),
  );
  expect(findings).toEqual([]);
});
