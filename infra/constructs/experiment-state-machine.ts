import { Duration, Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { arnsOf } from '../access/deployment.ts';
import { experimentRunAccess } from '../access/state-machine.ts';
import { experimentFlow } from '../experiment-flow.ts';
import type { Names } from '../names.ts';
import { HouseLogGroup } from './log-group.ts';
import { AccessRole, serviceOfAccount } from './role.ts';

export interface ExperimentStateMachineProps {
  names: Names;
  launcher: IFunction;
}

export class ExperimentStateMachine extends StateMachine {
  constructor(scope: Construct, id: string, { names, launcher }: ExperimentStateMachineProps) {
    const stack = Stack.of(scope);
    const role = new AccessRole(scope, `${id}Role`, {
      description: 'Runs experiments: launcher and jobs',
      assumedBy: serviceOfAccount(scope, 'states'),
      access: experimentRunAccess({ ...arnsOf(stack), names, launcherArn: launcher.functionArn }),
    });
    const definition = experimentFlow({ partition: stack.partition, launcherArn: launcher.functionArn });
    super(scope, id, {
      stateMachineName: names.stateMachine,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(stack.toJsonString(definition)),
      role: role.withoutPolicyUpdates(),
      tracingEnabled: true,
      logs: {
        // States are logged, their data isn't: it holds what users wrote.
        level: LogLevel.ALL,
        includeExecutionData: false,
        destination: new HouseLogGroup(scope, `${id}Logs`, {
          logGroupName: names.deliveredLogGroup('experiments'),
          retention: RetentionDays.ONE_MONTH,
        }),
      },
    });
  }

  /** Executions that ended badly in five minutes; each is an experiment that only the reconciler will end. */
  metricBroken() {
    return this.metricFailed({ period: Duration.minutes(5), statistic: 'Sum' });
  }
}
