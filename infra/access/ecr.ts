import { cacheNamespace } from '../../shared/model/pull-through.ts';
import { defaultImagesNamespace } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';

export const pullActions = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
];
export const pushActions = [
  ...pullActions,
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
];

/** Repositories are made with their lifecycle policy, whenever one is missing. */
export const createActions = ['ecr:CreateRepository', 'ecr:TagResource', 'ecr:PutLifecyclePolicy'];

/** Scans are started image by image: what an account's registry scans by itself is its operator's to say. */
export const scanActions = ['ecr:DescribeImageScanFindings', 'ecr:StartImageScan'];

/** Where the account has enhanced scanning, ECR asks Inspector for the findings with its caller's rights. */
export const enhancedFindings: Access = {
  actions: ['inspector2:ListCoverage', 'inspector2:ListFindings'],
  resources: ['*'],
  wildcard: 'Findings have no resource; the images that are asked about are limited by name.',
};

/** Log in to the account's registry: what one may then do there is decided per repository. */
export const ecrLogin: Access = {
  actions: ['ecr:GetAuthorizationToken'],
  resources: ['*'],
  wildcard: 'GetAuthorizationToken has no resource; the repository actions are limited by name.',
};

type Arns = Pick<Deployment, 'arn'>;

/** Everything below an organisation's own namespace. */
export function organisationRepositories({ arn }: Arns, organisations: string[], actions: string[]): Access {
  return {
    actions,
    resources: organisations.map((organisation) => arn('ecr', `repository/${organisation}/*`)),
    wildcard: "Repositories are created at run time below the organisation's own namespace.",
  };
}

/** The namespaces of all organisations, for functions that serve each of them. */
export function everyOrganisationsRepositories(deployment: Deployment, actions: string[]): Access {
  return organisationRepositories(
    deployment,
    deployment.stage.organisations.map(({ id }) => id),
    actions,
  );
}

/** Pull of the images that the deployment itself publishes. */
export function defaultRepositories({ arn }: Arns, actions = pullActions): Access {
  return {
    actions,
    resources: [arn('ecr', `repository/${defaultImagesNamespace}/*`)],
    wildcard:
      'The default images are published by operators below one namespace; every organisation may read them.',
  };
}

/**
 * Repositories of the stage's pull-through cache, which all organisations share; none where there is no cache. Who may
 * import makes ECR fetch a tag.
 */
export function cachedRepositories(
  { arn, stage }: Pick<Deployment, 'arn' | 'stage'>,
  actions: string[],
): Access[] {
  if (!stage.pullThroughCache) return [];
  return [
    {
      actions: [...actions, 'ecr:BatchImportUpstreamImage'],
      resources: [arn('ecr', `repository/${cacheNamespace(stage.stage)}/*`)],
      wildcard: 'ECR makes a repository for each public one that is pulled through the cache.',
    },
  ];
}
