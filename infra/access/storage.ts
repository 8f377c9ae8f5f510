/** Access to the table, the artifacts bucket, secrets and logs. */
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';

const tableReads = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const tableWrites = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];

/** Query and read by key; never Scan, which would cross organisations. */
export function tableRead({ tableArn }: Deployment): Access[] {
  return [
    { actions: tableReads, resources: [tableArn] },
    {
      actions: ['dynamodb:Query'],
      resources: [`${tableArn}/index/*`],
      wildcard: "The table's own indexes.",
    },
  ];
}

export function tableReadWrite(deployment: Deployment): Access[] {
  return [...tableRead(deployment), { actions: tableWrites, resources: [deployment.tableArn] }];
}

/** Objects below one folder of every organisation, such as `logs`. */
export function objects({ artifactsBucketArn }: Deployment, folder: string, actions: string[]): Access {
  return {
    actions,
    resources: [`${artifactsBucketArn}/*/${folder}/*`],
    wildcard: 'Keys begin with the organisation and end in an id; the function serves every organisation.',
  };
}

/** Without it, S3 answers 403 instead of 404 for an object that isn't there. */
export function listBucket({ artifactsBucketArn }: Deployment): Access {
  return { actions: ['s3:ListBucket'], resources: [artifactsBucketArn] };
}

/** Makes secrets, gives them new values, takes them away; the value itself is only readable where that is added. */
export const secretWrites = [
  'secretsmanager:CreateSecret',
  'secretsmanager:TagResource',
  'secretsmanager:PutSecretValue',
  'secretsmanager:DeleteSecret',
];

/** Secrets of every organisation below one kind: `registries`, `experiments`, `secrets`. */
export function secrets({ arn, names }: Deployment, kind: string, actions: string[]): Access {
  return {
    actions,
    resources: [arn('secretsmanager', `secret:${names.secretPrefix('*')}${kind}/*`)],
    wildcard:
      'Made at run time for every organisation; Secrets Manager appends six random characters to each.',
  };
}

/** Read the streams of one log group. */
export function logStreams({ arn }: Deployment, logGroup: string): Access {
  return {
    actions: ['logs:GetLogEvents'],
    resources: [arn('logs', `log-group:${logGroup}:log-stream:*`)],
    wildcard: 'A stream is named after a build or job, which is made at run time.',
  };
}
