/** All services, and how they reach each other. */
import type { Server } from 'node:http';
import type { Hooks } from './cloud.ts';
import { createCodeBuild } from './codebuild/codebuild.ts';
import { createDynamoDb, type DynamoOptions } from './dynamodb/dynamodb.ts';
import { createEcr } from './ecr/ecr.ts';
import type { Engine } from './engine/engine.ts';
import { createEvents } from './events.ts';
import { createGateway } from './gateway/gateway.ts';
import { iamResourceTypes, type Roles } from './iam/roles.ts';
import { createLambda, type LambdaOptions } from './lambda/lambda.ts';
import { createLogs } from './logs.ts';
import type { Cloud, DeclaredResource, RestAnswer, Service } from './platform.ts';
import { createS3 } from './s3.ts';
import { createSecretsManager } from './secrets-manager.ts';
import { createSes } from './ses.ts';
import { createSqs } from './sqs.ts';

export interface ServiceParts {
  roles: Roles;
  apiUrl: string;
  gatewayServer: Server;
  engine?: Engine;
  lambda?: LambdaOptions;
  dynamodb?: DynamoOptions;
}

export interface Services {
  /** In the order in which they deploy: nobody needs a later one to exist. */
  all: Service[];
  hooks: Hooks;
  /** The OIDC issuer's documents, which anybody may read. */
  serveIssuer(path: string, query: URLSearchParams): RestAnswer | undefined;
}

/** IAM has no calls here, only declared roles and policies. */
const createIam = (roles: Roles): Service => ({
  signingName: 'iam',
  resourceTypes: iamResourceTypes,
  async deploy(resources: DeclaredResource[]) {
    roles.load(resources);
  },
});

export function createServices(cloud: Cloud, parts: ServiceParts): Services {
  const engine = parts.engine && { engine: parts.engine };
  const logs = createLogs(cloud);
  const secrets = createSecretsManager(cloud);
  const sqs = createSqs(cloud);
  const events = createEvents(cloud);
  const lambda = createLambda(cloud, parts.lambda);
  return {
    all: [
      createIam(parts.roles),
      logs,
      secrets,
      createS3(cloud),
      createDynamoDb(cloud, parts.dynamodb),
      createEcr(cloud),
      sqs,
      createSes(cloud),
      lambda,
      createCodeBuild(cloud, engine),
      events,
      createGateway(cloud, parts.apiUrl, parts.gatewayServer),
    ],
    hooks: {
      publish: (event) => events.publish(event),
      appendLogs: (group, stream, lines) => logs.append(group, stream, lines),
      invokeFunction: (functionArn, payload, invoker) => lambda.invoke(functionArn, payload, invoker),
      invokeFunctionAsync: (functionArn, payload, invoker) =>
        lambda.invokeAsync(functionArn, payload, invoker),
      readSecret: (principal, valueFrom) => secrets.readSecret(principal, valueFrom),
      sendToQueue: (queueArn, body, sender, attributes) => sqs.send(queueArn, body, sender, attributes),
    },
    serveIssuer: () => undefined,
  };
}
