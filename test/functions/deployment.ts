/** A small deployment in the embedded cloud: the table, the bucket, the token key and a user pool, on their real engines. */
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createSecrets, type Secrets } from '../../shared/aws/secrets.ts';
import { type Stage, stageSchema } from '../../shared/model/stage.ts';
import { createTable, type Table } from '../../shared/store/table.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../local/embedded-cloud.ts';
import { tableDefinition } from '../shared/store/real-table.ts';
import { join } from './joined.ts';

const { TableName, BillingMode, ...schema } = tableDefinition('slipway');

export const testStage: Stage = stageSchema.parse({
  stage: 'test',
  organisations: [
    { id: 'acme', title: 'Acme Research', adminEmail: 'ada@acme.example' },
    { id: 'globex', title: 'Globex', adminEmail: 'grace@globex.example' },
  ],
  mailFrom: 'slipway@slipway.example',
  environments: [
    { name: 'cpu', capacity: 'on-demand', instanceTypes: ['c7i.xlarge'], gpu: false, maxVcpus: 64 },
    { name: 'gpu', capacity: 'spot', instanceTypes: ['g5.xlarge'], gpu: true, maxVcpus: 64 },
  ],
  queues: [
    { name: 'cpu', environments: ['cpu'] },
    { name: 'gpu', environments: ['gpu'] },
  ],
  computes: [
    {
      use: 'build',
      name: 'build-small',
      vcpus: 2,
      memoryMiB: 3072,
      computeType: 'BUILD_GENERAL1_SMALL',
      pricePerHourUsd: 0.3,
      maxConcurrent: 4,
    },
    {
      use: 'run',
      name: 'cpu-small',
      vcpus: 1,
      memoryMiB: 1024,
      gpus: 0,
      pricePerHourUsd: 0.04,
      queues: ['cpu'],
    },
    {
      use: 'run',
      name: 'gpu-small',
      vcpus: 4,
      memoryMiB: 14_336,
      gpus: 1,
      gpuType: 'A10G',
      pricePerHourUsd: 1,
      queues: ['gpu', 'cpu'],
    },
  ],
  privateRegistries: ['127.0.0.1'],
});

const resources = {
  Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName, BillingMode, ...schema } },
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'artifacts' } },
  TokenKey: {
    Type: 'AWS::SecretsManager::Secret',
    Properties: {
      Name: 'slipway/test/token-key',
      GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
    },
  },
  UserPool: {
    Type: 'AWS::Cognito::UserPool',
    Properties: {
      UsernameAttributes: ['email'],
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      Policies: { PasswordPolicy: { MinimumLength: 12, TemporaryPasswordValidityDays: 7 } },
    },
  },
  Sender: { Type: 'AWS::SES::EmailIdentity', Properties: { EmailIdentity: testStage.mailFrom } },
  Client: {
    Type: 'AWS::Cognito::UserPoolClient',
    Properties: {
      UserPoolId: { Ref: 'UserPool' },
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    },
  },
};

/** Tells the tests what the pool and its client are called. */
const poolNames = {
  Type: 'AWS::SecretsManager::Secret',
  Properties: { Name: 'slipway/test/pool', SecretString: { 'Fn::Sub': `\${UserPool} \${Client}` } },
};

export interface TestDeployment {
  cloud: EmbeddedCloud;
  dynamodb: DynamoDBClient;
  secretsManager: SecretsManagerClient;
  s3: S3Client;
  cognito: CognitoIdentityProviderClient;
  userPoolId: string;
  clientId: string;
  table: Table;
  secrets: Secrets;
  stop(): Promise<void>;
}

export async function startDeployment(): Promise<TestDeployment> {
  const cloud = await startEmbeddedCloud({
    stacks: { data: { Resources: { ...resources, PoolNames: poolNames } } },
  });
  const settings = () => ({ ...cloud.client, credentials: { ...cloud.client.credentials } });
  const dynamodb = new DynamoDBClient(settings());
  const secretsManager = new SecretsManagerClient(settings());
  const s3 = new S3Client({ ...settings(), requestChecksumCalculation: 'WHEN_REQUIRED' });
  const cognito = new CognitoIdentityProviderClient(settings());
  const secrets = createSecrets(secretsManager);
  const [userPoolId = '', clientId = ''] = (await secrets.read('slipway/test/pool'))?.split(' ') ?? [];
  const table = createTable(TableName, dynamodb);
  await join(table);
  return {
    cloud,
    userPoolId,
    clientId,
    dynamodb,
    secretsManager,
    s3,
    cognito,
    table,
    secrets,
    async stop() {
      for (const client of [dynamodb, secretsManager, s3, cognito]) client.destroy();
      await cloud.remove();
    },
  };
}
