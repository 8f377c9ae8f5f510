/** All services, and how they reach each other. */
import type { Server } from 'node:http';
import { createBatch } from './batch/batch.ts';
import type { Hooks } from './cloud.ts';
import { createCodeBuild } from './codebuild/codebuild.ts';
import { createCognito } from './cognito.ts';
import { createDynamoDb, type DynamoOptions } from './dynamodb/dynamodb.ts';
import { createEcr, type Ecr, type EcrOptions } from './ecr/ecr.ts';
import type { Engine } from './engine/engine.ts';
import { type EngineWatch, watchEngine } from './engine/watch.ts';
import { createEvents } from './events.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Credentials } from './iam/credentials.ts';
import { iamResourceTypes, type Roles } from './iam/roles.ts';
import { createLambda, type LambdaOptions } from './lambda/lambda.ts';
import { createLogs } from './logs.ts';
import type { Cloud, DeclaredResource, RestAnswer, Service } from './platform.ts';
import { createS3 } from './s3.ts';
import { createScheduler } from './scheduler.ts';
import { createSecretsManager } from './secrets-manager.ts';
import { createSes } from './ses.ts';
import { createSqs } from './sqs.ts';
import { createStepFunctions } from './step-functions/step-functions.ts';
import { createSts } from './sts.ts';

export interface ServiceParts {
  roles: Roles;
  credentials: Credentials;
  apiUrl: string;
  gatewayServer: Server;
  engine?: Engine;
  lambda?: LambdaOptions;
  dynamodb?: DynamoOptions;
  ecr?: EcrOptions;
}

export interface Services {
  /** In the order in which they deploy: nobody needs a later one to exist. */
  all: Service[];
  hooks: Hooks;
  /** The OIDC issuer's documents, which anybody may read. */
  serveIssuer(path: string): RestAnswer | undefined;
}

const purgeEveryMs = 600_000;

/** IAM has no calls here, only declared roles and policies, and keys that expire. */
const createIam = (cloud: Cloud, { roles, credentials }: ServiceParts): Service => ({
  signingName: 'iam',
  resourceTypes: iamResourceTypes,
  async deploy(resources: DeclaredResource[]) {
    roles.load(resources);
  },
  async start() {
    credentials.purge();
    cloud.every(purgeEveryMs, 'iam: expired keys', () => credentials.purge());
  },
});

/** Jobs run in containers or not at all: without an engine, templates with any are refused. */
function jobServices(cloud: Cloud, engine: Engine, engineWatch: EngineWatch, ecr: Ecr): Service[] {
  const batch = createBatch(cloud, { engine, engineWatch, ecr });
  return [batch, createStepFunctions(cloud, { batch })];
}

export function createServices(cloud: Cloud, parts: ServiceParts): Services {
  const { engine } = parts;
  const engineWatch = engine && watchEngine(engine, cloud);
  const ecr = createEcr(cloud, parts.ecr);
  const logs = createLogs(cloud);
  const secrets = createSecretsManager(cloud);
  const sqs = createSqs(cloud);
  const cognito = createCognito(cloud);
  const events = createEvents(cloud);
  const lambda = createLambda(cloud, parts.lambda);
  return {
    all: [
      createIam(cloud, parts),
      createSts(cloud, parts),
      logs,
      secrets,
      createS3(cloud),
      createDynamoDb(cloud, parts.dynamodb),
      ecr,
      sqs,
      createSes(cloud),
      cognito,
      lambda,
      createCodeBuild(cloud, { engine, engineWatch }),
      ...(engine && engineWatch ? jobServices(cloud, engine, engineWatch, ecr) : []),
      createScheduler(cloud),
      events,
      createGateway(cloud, parts.apiUrl, parts.gatewayServer),
    ],
    hooks: {
      publish: (event) => events.publish(event),
      appendLogs: (group, stream, lines) => logs.append(group, stream, lines),
      invokeFunction: (functionArn, payload, invoker, onStart) =>
        lambda.invoke(functionArn, payload, invoker, onStart),
      invokeFunctionAsync: (functionArn, payload, invoker) =>
        lambda.invokeAsync(functionArn, payload, invoker),
      readSecret: (principal, valueFrom) => secrets.readSecret(principal, valueFrom),
      sendToQueue: (queueArn, body, sender, attributes) => sqs.send(queueArn, body, sender, attributes),
    },
    serveIssuer: (path) => cognito.serveIssuer(path),
  };
}
