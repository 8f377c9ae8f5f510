/** What starts an organisation's experiments may do, and their hosts. The experiments' own role may do nothing. */
import type { Names } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';
import {
  cachedRepositories,
  defaultRepositories,
  ecrLogin,
  organisationRepositories,
  pullActions,
} from './ecr.ts';

export interface OrganisationDeployment extends Pick<Deployment, 'arn' | 'stage'> {
  names: Names;
  organisation: string;
}

/** The container agent: pull the image, with the registry's account where it has one, and write its log. */
export function executionAccess(deployment: OrganisationDeployment): Access[] {
  const { arn, names, organisation } = deployment;
  return [
    ecrLogin,
    organisationRepositories(deployment, [organisation], pullActions),
    defaultRepositories(deployment),
    ...cachedRepositories(deployment, pullActions),
    {
      actions: ['secretsmanager:GetSecretValue'],
      resources: [arn('secretsmanager', `secret:${names.secretPrefix(organisation)}registries/*`)],
      wildcard:
        "The organisation's accounts at registries, made at run time with six random characters appended.",
    },
    {
      // What is written goes below the organisation's prefix; making an empty stream has no finer resource everywhere.
      actions: ['logs:CreateLogStream'],
      resources: [arn('logs', `log-group:${names.jobLogGroup}:log-stream:*`)],
      wildcard: 'Batch names a stream after the task that runs the job.',
    },
    {
      actions: ['logs:PutLogEvents'],
      resources: [arn('logs', `log-group:${names.jobLogGroup}:log-stream:${organisation}/*`)],
      wildcard: "Streams of the organisation's jobs: job definitions set its id as their prefix.",
    },
  ];
}

/**
 * The host's own agent. Jobs share the host's network and so can take on this role: it holds what the agent needs to
 * take part in its own clusters, and nothing of Slipway's. `ecs:Poll` can't be left out, since by it the agent learns
 * of the host's tasks, their roles' credentials included: docs/security.md says what that means.
 */
export function hostAccess({ arn }: Pick<Deployment, 'arn'>, computeEnvironments: string[]): Access[] {
  // Batch makes the clusters: AWSBatch-<compute environment>-<UUID>.
  const named = computeEnvironments.map((name) => `AWSBatch-${name}-*`);
  const wildcard =
    "Batch makes the cluster and adds to the compute environment's name; the agent registers its host there.";
  return [
    {
      actions: ['ecs:DiscoverPollEndpoint'],
      resources: ['*'],
      wildcard: 'DiscoverPollEndpoint has no resource.',
    },
    {
      actions: [
        'ecs:RegisterContainerInstance',
        'ecs:DeregisterContainerInstance',
        'ecs:SubmitAttachmentStateChanges',
        'ecs:SubmitContainerStateChange',
        'ecs:SubmitTaskStateChange',
      ],
      resources: named.map((name) => arn('ecs', `cluster/${name}`)),
      wildcard,
    },
    {
      actions: ['ecs:Poll', 'ecs:StartTelemetrySession', 'ecs:UpdateContainerInstancesState'],
      resources: named.map((name) => arn('ecs', `container-instance/${name}`)),
      wildcard,
    },
    {
      // Only the tags with which the host registers itself.
      actions: ['ecs:TagResource'],
      resources: named.map((name) => arn('ecs', `container-instance/${name}`)),
      conditions: { StringEquals: { 'ecs:CreateAction': 'RegisterContainerInstance' } },
      wildcard,
    },
  ];
}
