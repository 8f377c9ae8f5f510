/** What StartBuild asks for, checked as CodeBuild checks it. */
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { defaultLogGroup, type EnvironmentVariable, type Project } from './project.ts';

export interface StartRequest {
  serviceRole?: string;
  computeType: string;
  timeoutInMinutes: number;
  queuedTimeoutInMinutes: number;
  variables: EnvironmentVariable[];
  logs: Pick<Project, 'logGroup' | 'logStreamPrefix'>;
  idempotencyToken?: string;
}

const supported = new Set([
  'projectName',
  'environmentVariablesOverride',
  'computeTypeOverride',
  'timeoutInMinutesOverride',
  'queuedTimeoutInMinutesOverride',
  'serviceRoleOverride',
  'logsConfigOverride',
  'idempotencyToken',
]);

const computeTypes = /^BUILD_GENERAL1_(SMALL|MEDIUM|LARGE|XLARGE|2XLARGE)$/;

/** Throws `InvalidInputException` for what AWS refuses, and `UnsupportedOperation` for overrides that aren't done here. */
export function readStartRequest(call: JsonCall, project: Project): StartRequest {
  const unsupported = Object.keys(call.input).filter((name) => !supported.has(name));
  if (unsupported.length > 0)
    throw new AwsError(
      'UnsupportedOperation',
      `The embedded cloud does not implement ${unsupported.join(', ')} of StartBuild`,
    );
  const input = new RequestMembers(call.input, 'InvalidInputException');
  const computeType = input.optionalString('computeTypeOverride') ?? project.environment.computeType;
  if (!computeTypes.test(computeType)) throw invalid(`Invalid compute type: ${computeType}`);
  const serviceRole = input.optionalString('serviceRoleOverride');
  if (serviceRole !== undefined && !/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(serviceRole))
    throw invalid(`Invalid service role: ${serviceRole} is not the ARN of a role`);
  const idempotencyToken = input.optionalString('idempotencyToken');
  return {
    ...(serviceRole && { serviceRole }),
    computeType,
    timeoutInMinutes: input.optionalInteger('timeoutInMinutesOverride', 5, 2160) ?? project.timeoutInMinutes,
    queuedTimeoutInMinutes:
      input.optionalInteger('queuedTimeoutInMinutesOverride', 5, 480) ?? project.queuedTimeoutInMinutes,
    variables: mergeVariables(project.environment.variables, readVariables(input)),
    logs: readLogs(input, project),
    ...(idempotencyToken && { idempotencyToken }),
  };
}

/** An override takes the place of all that the project says about logs: a group that it leaves out is CodeBuild's own. */
function readLogs(input: RequestMembers, project: Project): StartRequest['logs'] {
  const override = input.structure('logsConfigOverride');
  if (!override) return project;
  const cloudWatch = override.structure('cloudWatchLogs');
  if (override.has('s3Logs') || cloudWatch?.string('status') !== 'ENABLED')
    throw new AwsError(
      'UnsupportedOperation',
      'The embedded cloud sends the logs of StartBuild to CloudWatch only',
    );
  const streamName = cloudWatch.optionalString('streamName');
  return {
    logGroup: cloudWatch.optionalString('groupName') ?? defaultLogGroup(project.name),
    ...(streamName && { logStreamPrefix: streamName }),
  };
}

function readVariables(input: RequestMembers): EnvironmentVariable[] {
  return input.structures('environmentVariablesOverride').map((one) => {
    const name = one.string('name');
    const type = one.optionalString('type') ?? 'PLAINTEXT';
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(`Invalid environment variable name: ${name}`);
    if (type === 'PARAMETER_STORE')
      throw new AwsError(
        'UnsupportedOperation',
        'The embedded cloud does not implement PARAMETER_STORE variables of StartBuild',
      );
    if (type !== 'PLAINTEXT' && type !== 'SECRETS_MANAGER')
      throw invalid(`Invalid environment variable type: ${type}`);
    return { name, value: one.string('value', { min: 0 }), type };
  });
}

function mergeVariables(
  declared: EnvironmentVariable[],
  overrides: EnvironmentVariable[],
): EnvironmentVariable[] {
  const names = new Set<string>();
  for (const { name } of overrides) {
    if (names.has(name)) throw invalid(`Duplicate environment variable: ${name}`);
    names.add(name);
  }
  return [...declared.filter(({ name }) => !names.has(name)), ...overrides];
}

const invalid = (message: string) => new AwsError('InvalidInputException', message);
