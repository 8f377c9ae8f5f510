/** What the stacks become by configuration: each variant has resources that the others lack. */
import { loadStage } from '../../infra/stage.ts';
import { exampleStage } from './synthesized.ts';

export const variants = {
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
