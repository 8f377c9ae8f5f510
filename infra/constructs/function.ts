import { Duration } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Access } from '../access/access.ts';
import type { FunctionDeclaration } from '../functions/declaration.ts';
import type { Names } from '../names.ts';
import { HouseLogGroup } from './log-group.ts';
import { AccessRole } from './role.ts';

export interface SlipwayFunctionProps {
  declaration: FunctionDeclaration;
  names: Names;
  /** Folder with the bundle. */
  folder: string;
  environment: Record<string, string>;
  access: Access[];
  /** Takes events that the function failed on, after Lambda's own retries. For asynchronous callers only. */
  deadLetterQueue?: IQueue;
}

/**
 * A function as this house makes them: arm64, Node 24, its own log group with an end, its own role, nothing reserved
 * (`reservedConcurrentExecutions` fails in accounts with a low limit).
 */
export class SlipwayFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: SlipwayFunctionProps) {
    const { declaration, names, deadLetterQueue } = props;
    const logGroup = new HouseLogGroup(scope, `${id}Logs`, {
      logGroupName: names.functionLogGroup(declaration.name),
      retention: RetentionDays.ONE_MONTH,
    });
    const role = new AccessRole(scope, `${id}Role`, {
      description: `Function ${declaration.name} of ${names.prefix}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      access: [
        { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] },
        ...(deadLetterQueue ? [{ actions: ['sqs:SendMessage'], resources: [deadLetterQueue.queueArn] }] : []),
        ...props.access,
      ],
    });
    super(scope, id, {
      functionName: names.function(declaration.name),
      description: declaration.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.folder),
      handler: 'index.handler',
      memorySize: declaration.memoryMiB,
      timeout: Duration.seconds(declaration.timeoutSeconds),
      environment: props.environment,
      // The role is whole already; CDK must not add to it.
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.WARN,
      ...(deadLetterQueue ? { deadLetterQueue } : {}),
    });
  }
}
