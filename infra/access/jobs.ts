/** What an organisation's experiments may do: before they run (execution), while they run (job), and their hosts. */
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

export interface OrganisationDeployment extends Pick<Deployment, 'arn' | 'artifactsBucketArn' | 'stage'> {
  names: Names;
  organisation: string;
}

/** The container agent: pull the image, read the job's secrets, write its log. */
export function executionAccess(deployment: OrganisationDeployment): Access[] {
  const { arn, names, organisation } = deployment;
  return [
    ecrLogin,
    organisationRepositories(deployment, [organisation], pullActions),
    defaultRepositories(deployment),
    ...cachedRepositories(deployment, pullActions),
    {
      actions: ['secretsmanager:GetSecretValue'],
      resources: [arn('secretsmanager', `secret:${names.secretPrefix(organisation)}*`)],
      wildcard: "The organisation's own secrets, made at run time with six random characters appended.",
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

/** The user's own code. */
export function jobAccess({ organisation, artifactsBucketArn }: OrganisationDeployment): Access[] {
  return [
    {
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [`${artifactsBucketArn}/${organisation}/outputs/*`],
      wildcard: "Outputs of the organisation's experiments.",
    },
    {
      actions: ['s3:GetObject'],
      resources: [`${artifactsBucketArn}/${organisation}/uploads/*`],
      wildcard: 'Source archives that the organisation uploaded.',
    },
    {
      actions: ['s3:ListBucket'],
      resources: [artifactsBucketArn],
      conditions: { StringLike: { 's3:prefix': [`${organisation}/outputs/*`] } },
    },
  ];
}

/**
 * The host's own agent. Jobs share the host's network and so can take on this role: it holds what the agent needs to
 * take part in its own clusters, and nothing of Slipway's.
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
