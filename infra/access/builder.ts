/** What a build of one organisation may do. */
import type { Names } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';
import { defaultRepositories, ecrLogin, organisationRepositories, pushActions } from './ecr.ts';

export interface BuilderDeployment extends Pick<Deployment, 'arn' | 'artifactsBucketArn'> {
  names: Names;
  organisation: string;
  sourceBucketArn: string;
  /** Folder of the bucket that holds the builder, as it is and as it was, and nothing else: `slipway-<stage>/builder/`. */
  sourcePrefix: string;
}

export function builderAccess(deployment: BuilderDeployment): Access[] {
  const { arn, names, organisation, artifactsBucketArn, sourceBucketArn, sourcePrefix } = deployment;
  const own = `${artifactsBucketArn}/${organisation}`;
  return [
    {
      actions: ['s3:GetObject', 's3:GetObjectVersion'],
      resources: [`${sourceBucketArn}/${sourcePrefix}*.zip`],
      wildcard:
        "A build that waits in CodeBuild's queue while the next deployment goes out still fetches the builder of before.",
    },
    {
      // The bucket's key is the account's to choose, by `cdk bootstrap`; S3 decrypts for whom it may read these files.
      actions: ['kms:Decrypt'],
      resources: [arn('kms', 'key/*')],
      conditions: {
        StringLike: {
          'kms:ViaService': 's3.*',
          'kms:EncryptionContext:aws:s3:arn': [sourceBucketArn, `${sourceBucketArn}/${sourcePrefix}*.zip`],
        },
      },
      wildcard: 'Only for files of the builder, by way of S3; which key the bucket has, no template knows.',
    },
    { actions: ['s3:GetBucketAcl', 's3:GetBucketLocation'], resources: [sourceBucketArn] },
    {
      // What is written goes below the organisation's prefix; making an empty stream has no finer resource everywhere.
      actions: ['logs:CreateLogStream'],
      resources: [arn('logs', `log-group:${names.buildLogGroup}:log-stream:*`)],
      wildcard: 'CodeBuild names a stream after the id that it gives the build.',
    },
    {
      actions: ['logs:PutLogEvents'],
      resources: [arn('logs', `log-group:${names.buildLogGroup}:log-stream:${organisation}/*`)],
      wildcard: "Streams of the organisation's builds: each is started with its id as their prefix.",
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
