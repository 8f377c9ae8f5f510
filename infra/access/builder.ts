/** What a build of one organisation may do. */
import type { Names } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';
import { defaultRepositories, ecrLogin, organisationRepositories, pushActions } from './ecr.ts';

export interface BuilderDeployment extends Pick<Deployment, 'arn' | 'artifactsBucketArn'> {
  names: Names;
  organisation: string;
  sourceBucketArn: string;
}

export function builderAccess(deployment: BuilderDeployment): Access[] {
  const { arn, names, organisation, artifactsBucketArn, sourceBucketArn } = deployment;
  const own = `${artifactsBucketArn}/${organisation}`;
  return [
    {
      actions: ['s3:GetObject', 's3:GetObjectVersion'],
      resources: [`${sourceBucketArn}/*.zip`],
      wildcard:
        "A build that waits in CodeBuild's queue while the next deployment goes out still fetches the builder of before. The assets are code, without secrets.",
    },
    { actions: ['s3:GetBucketAcl', 's3:GetBucketLocation'], resources: [sourceBucketArn] },
    {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [arn('logs', `log-group:${names.buildLogGroup}:*`)],
      wildcard: 'CodeBuild names a stream after the id that it gives the build.',
    },
    {
      actions: ['s3:GetObject'],
      resources: [`${own}/builds/*/spec.json`, `${own}/uploads/*`],
      wildcard: "Keys end in the build's or upload's id; they begin with the organisation.",
    },
    {
      actions: ['s3:PutObject'],
      resources: [`${own}/builds/*/result.json`],
      wildcard: "The key holds the build's id; it begins with the organisation.",
    },
    {
      actions: ['secretsmanager:GetSecretValue'],
      resources: ['registries', 'secrets'].map((kind) =>
        arn('secretsmanager', `secret:${names.secretPrefix(organisation)}${kind}/*`),
      ),
      wildcard: "The organisation's own secrets, made at run time with six random characters appended.",
    },
    ecrLogin,
    organisationRepositories(deployment, [organisation], pushActions),
    defaultRepositories(deployment),
  ];
}
