/** Functions as the templates declare them, checked as CreateFunction would. */
import { AwsError, type Cloud, type DeclaredResource, type ResourceType } from '../platform.ts';
import { generatedName } from '../template/names.ts';
import { environmentLimitBytes, maxTimeoutSeconds, reservedVariables } from './limits.ts';

export interface FunctionConfig {
  name: string;
  arn: string;
  handler: string;
  runtime: string;
  /** Absolute path of the unpacked bundle. */
  codeFolder: string;
  roleArn: string;
  timeoutSeconds: number;
  memoryMiB: number;
  environment: Record<string, string>;
  logGroup: string;
  logFormat: 'Text' | 'JSON';
  deadLetterArn?: string;
}

const functionArn = (cloud: Pick<Cloud, 'accountId' | 'region'>, name: string): string =>
  `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${name}`;

export const lambdaResourceTypes: Record<string, ResourceType> = {
  'AWS::Lambda::Function': {
    physicalId: (declared) => declared.properties.FunctionName ?? generatedName(declared),
    attributes: ({ physicalId }, cloud) => ({ Arn: functionArn(cloud, physicalId) }),
  },
  'AWS::Lambda::Permission': { physicalId: (declared) => generatedName(declared, 100) },
  'AWS::Lambda::EventInvokeConfig': { physicalId: (declared) => generatedName(declared, 100) },
};

const understood = new Set([
  'Architectures',
  'Code',
  'DeadLetterConfig',
  'Description',
  'Environment',
  'FunctionName',
  'Handler',
  'LoggingConfig',
  'MemorySize',
  'Role',
  'Runtime',
  'Tags',
  'Timeout',
  'TracingConfig',
]);

function checkEnvironment(variables: Record<string, string>): void {
  const reserved = Object.keys(variables).find((name) => reservedVariables.has(name));
  if (reserved) {
    throw new AwsError(
      'InvalidParameterValueException',
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved}`,
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes > environmentLimitBytes) {
    throw new AwsError(
      'InvalidParameterValueException',
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${bytes} bytes`,
    );
  }
}

/**
 * @throws AwsError `InvalidParameterValueException` where Lambda would refuse, Error naming the logical id where the
 * embedded cloud can't do what is declared
 */
export function readFunction(resource: DeclaredResource, cloud: Pick<Cloud, 'assets'>): FunctionConfig {
  const { stack, logicalId, properties, physicalId, attributes } = resource;
  const refuse = (reason: string): never => {
    throw new Error(`${stack}/${logicalId}: ${reason}`);
  };
  const strange = Object.keys(properties).find((name) => !understood.has(name));
  if (strange) refuse(`the embedded cloud does not support functions with ${strange}`);
  if (!/^nodejs\d+\.x$/.test(properties.Runtime ?? ''))
    refuse(`the embedded cloud does not support the runtime ${properties.Runtime}`);
  const location = `${properties.Code?.S3Bucket}/${properties.Code?.S3Key}`;
  const asset =
    cloud.assets.get(location) ?? refuse(`the assembly has no asset with the function's code: ${location}`);
  const variables: Record<string, string> = Object.fromEntries(
    Object.entries(properties.Environment?.Variables ?? {}).map(([name, value]) => [name, String(value)]),
  );
  checkEnvironment(variables);
  const timeoutSeconds = Number(properties.Timeout ?? 3);
  const memoryMiB = Number(properties.MemorySize ?? 128);
  if (!(timeoutSeconds >= 1 && timeoutSeconds <= maxTimeoutSeconds))
    refuse(`Timeout must be from 1 to 900 seconds`);
  if (!(memoryMiB >= 128 && memoryMiB <= 10_240)) refuse(`MemorySize must be from 128 to 10240 MB`);
  return {
    name: physicalId,
    arn: attributes.Arn ?? '',
    handler: properties.Handler,
    runtime: properties.Runtime,
    codeFolder: asset.path,
    roleArn: properties.Role,
    timeoutSeconds,
    memoryMiB,
    environment: variables,
    logGroup: properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${physicalId}`,
    logFormat: properties.LoggingConfig?.LogFormat === 'JSON' ? 'JSON' : 'Text',
    deadLetterArn: properties.DeadLetterConfig?.TargetArn,
  };
}

/** As GetFunctionConfiguration tells it. */
export function describeFunction(config: FunctionConfig): object {
  return {
    FunctionName: config.name,
    FunctionArn: config.arn,
    Handler: config.handler,
    Runtime: config.runtime,
    Role: config.roleArn,
    Timeout: config.timeoutSeconds,
    MemorySize: config.memoryMiB,
    Environment: { Variables: config.environment },
    LoggingConfig: { LogFormat: config.logFormat, LogGroup: config.logGroup },
    ...(config.deadLetterArn && { DeadLetterConfig: { TargetArn: config.deadLetterArn } }),
    State: 'Active',
    LastUpdateStatus: 'Successful',
    Version: '$LATEST',
  };
}
